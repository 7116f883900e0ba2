//! Events a second that one core parses: each provider's event parser alone over its fixtures, and the whole step that the
//! ParserActor does for each event (parse, filter, check, switchboard, targets).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark may fail")]

#[path = "support/natives.rs"]
mod natives;
#[path = "support/parser_settings.rs"]
mod parser_settings;

use catchall::event_catcher::parser::parse_batch;
use catchall::observe::EmsFigures;
use catchall::provider::{NativeEvent, Provider};
use catchall::providers::find;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

const AWESOME_CLOUD: &str = include_str!("../src/providers/awesome_cloud/fixtures/events.jsonl");
const AMAZON: &str = include_str!("data/amazon.jsonl");
const OPENSTACK: &str = include_str!("../src/providers/openstack/fixtures/events.jsonl");

fn from_lines(text: &str) -> Vec<NativeEvent> {
    text.lines().map(NativeEvent::new).collect()
}

/// As large as those of the other benchmarks.
fn large() -> Vec<NativeEvent> {
    let begin = catchall::clock::now();
    (0..100).map(|number| NativeEvent::new(natives::native(number, begin))).collect()
}

fn parsing(criterion: &mut Criterion) {
    let inputs = [
        ("awesome_cloud, its fixtures", "awesome_cloud", from_lines(AWESOME_CLOUD)),
        ("awesome_cloud, 1 KB each", "awesome_cloud", large()),
        ("amazon, its fixtures", "amazon", from_lines(AMAZON)),
        ("openstack, its fixtures", "openstack", from_lines(OPENSTACK)),
    ];
    for (name, provider, natives) in &inputs {
        let provider = find(provider).unwrap();
        let bytes: usize = natives.iter().map(|native| native.text.len()).sum();
        println!("{name}: {} events, {} bytes on average", natives.len(), bytes / natives.len());
        one_input(criterion, name, provider, natives);
    }
}

fn one_input(criterion: &mut Criterion, name: &str, provider: &dyn Provider, natives: &[NativeEvent]) {
    let settings = parser_settings::shipped();
    let figures = EmsFigures::default();
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(natives.len() as u64));
    group.bench_function("event parser", |bencher| {
        bencher.iter(|| {
            for native in natives {
                black_box(provider.event_parser().parse(black_box(native)).unwrap());
            }
        });
    });
    group.bench_function("parse_batch", |bencher| {
        bencher.iter(|| {
            let batch = parse_batch(provider, &settings, &figures, black_box(natives));
            assert!(batch.dead_letters.is_empty() && !batch.events.is_empty());
            black_box(batch)
        });
    });
    group.finish();
}

criterion_group!(benches, parsing);
criterion_main!(benches);
