//! What PostgreSQL takes at most: the same rows through bare connections of tokio-postgres, with nothing around them.

use crate::row::{COLUMNS, Row, WIDTH};
use catchall::settings::VmdbSettings;
use futures_util::SinkExt;
use std::io::Cursor;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Barrier;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls};

/// `COPY`, `per_commit` rows in each, the text made before. Each of `connections` takes a part of the EMSs.
pub fn copy(settings: &VmdbSettings, rows: Vec<Vec<Row>>, connections: usize, per_commit: usize) -> Duration {
    on_connections(settings, shared_out(rows, connections), move |client, rows, start| async move {
        let copies: Vec<Vec<Vec<u8>>> = rows.chunks(per_commit).map(copy_text).collect();
        let sql = format!("COPY event_streams ({COLUMNS}) FROM STDIN");
        let statement = client.prepare(&sql).await.unwrap();
        start.wait().await;
        for pieces in copies {
            let mut sink = Box::pin(client.copy_in::<_, Cursor<Vec<u8>>>(&statement).await.unwrap());
            for piece in pieces {
                sink.feed(Cursor::new(piece)).await.unwrap();
            }
            sink.as_mut().finish().await.unwrap();
        }
    })
}

/// One prepared statement of 500 rows with `ON CONFLICT DO NOTHING`, committed each.
pub fn multi_row(settings: &VmdbSettings, rows: Vec<Vec<Row>>, connections: usize) -> Duration {
    on_connections(settings, shared_out(rows, connections), |client, rows, start| async move {
        let groups: Vec<String> = (0..500)
            .map(|row| {
                let marks: Vec<_> = (1..=WIDTH).map(|column| format!("${}", row * WIDTH + column)).collect();
                format!("({})", marks.join(","))
            })
            .collect();
        let sql = format!(
            "INSERT INTO event_streams ({COLUMNS}) VALUES {} ON CONFLICT (ems_id, event_uid) DO NOTHING",
            groups.join(",")
        );
        let statement = client.prepare(&sql).await.unwrap();
        let values: Vec<Vec<_>> =
            rows.chunks_exact(500).map(|rows| rows.iter().flat_map(values).collect()).collect();
        start.wait().await;
        for values in values {
            assert_eq!(client.execute(&statement, &values).await.unwrap(), 500);
        }
    })
}

/// Starts `work` on all connections at the same moment; the time until the last is done.
fn on_connections<F>(
    settings: &VmdbSettings,
    parts: Vec<Vec<Row>>,
    work: impl Fn(Client, Vec<Row>, Arc<Barrier>) -> F,
) -> Duration
where
    F: Future<Output = ()> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let start = Arc::new(Barrier::new(parts.len() + 1));
        let mut tasks = Vec::new();
        for rows in parts {
            let (client, connection) = tokio_postgres::connect(settings.url.expose(), NoTls).await.unwrap();
            tokio::spawn(connection);
            client.batch_execute(&format!("SET search_path TO {}", settings.schema)).await.unwrap();
            tasks.push(tokio::spawn(work(client, rows, start.clone())));
        }
        start.wait().await;
        let begin = Instant::now();
        for task in tasks {
            task.await.unwrap();
        }
        begin.elapsed()
    })
}

fn shared_out(rows: Vec<Vec<Row>>, connections: usize) -> Vec<Vec<Row>> {
    let mut parts: Vec<Vec<Row>> = (0..connections).map(|_| Vec::new()).collect();
    for (index, rows) in rows.into_iter().enumerate() {
        parts[index % connections].extend(rows);
    }
    parts
}

fn values(row: &Row) -> [&(dyn ToSql + Sync); WIDTH] {
    [
        &row.ems_id,
        &row.event_uid,
        &row.class,
        &row.event_type,
        &row.source,
        &row.timestamp,
        &row.created_on,
        &row.full_data,
        &row.work_id,
        &row.message,
        &row.ems_ref,
        &row.chain_id,
        &row.username,
        &row.vm_or_template_id,
        &row.vm_ems_ref,
        &row.vm_name,
    ]
}

/// COPY's text form of `rows`, in pieces as they are sent.
fn copy_text(rows: &[Row]) -> Vec<Vec<u8>> {
    let mut text = String::new();
    for row in rows {
        let optional = |text: &Option<String>| text.as_deref().map_or("\\N".to_owned(), escaped);
        let fields = [
            row.ems_id.to_string(),
            escaped(&row.event_uid),
            row.class.to_owned(),
            escaped(&row.event_type),
            escaped(&row.source),
            row.timestamp_text.clone(),
            row.created_on_text.clone(),
            escaped(&row.full_data),
            row.work_id.to_string(),
            optional(&row.message),
            optional(&row.ems_ref),
            row.chain_id.map_or("\\N".to_owned(), |number| number.to_string()),
            optional(&row.username),
            row.vm_or_template_id.to_string(),
            optional(&row.vm_ems_ref),
            optional(&row.vm_name),
        ];
        text.push_str(&fields.join("\t"));
        text.push('\n');
    }
    text.as_bytes().chunks(64 << 10).map(<[u8]>::to_vec).collect()
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
}
