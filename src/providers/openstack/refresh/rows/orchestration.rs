//! Heat: stacks, nested ones among them.

use super::{cloud, read, reference, row};
use crate::provider::{Attribute, ParseError, Row};
use serde::Deserialize;

#[derive(Deserialize)]
struct Stack {
    id: String,
    stack_name: Option<String>,
    description: Option<String>,
    stack_status: Option<String>,
    stack_status_reason: Option<String>,
    parent: Option<String>,
    /// Shown where the stacks of all projects are.
    project: Option<String>,
}

pub(in super::super) fn stack(json: &str) -> Result<Row, ParseError> {
    let stack: Stack = read(json)?;
    let attributes = vec![
        ("type", cloud("OrchestrationStack")),
        ("name", Attribute::text(stack.stack_name)),
        ("description", Attribute::text(stack.description)),
        ("status", Attribute::text(stack.stack_status)),
        ("status_reason", Attribute::text(stack.stack_status_reason)),
        ("parent_id", reference("orchestration_stacks", stack.parent)),
        ("cloud_tenant_id", reference("cloud_tenants", stack.project)),
    ];
    row(stack.id, attributes)
}

#[cfg(test)]
mod tests {
    use super::super::tests::says;
    use super::super::text;
    use super::*;
    use serde_json::json;

    #[test]
    fn a_nested_stack_refers_to_its_parent() {
        let json = json!({"id": "s", "stack_name": "web", "stack_status": "CREATE_COMPLETE", "parent": "p", "project": "t"});
        says(
            &stack(&json.to_string()).unwrap(),
            &[
                ("name", text("web")),
                ("status", text("CREATE_COMPLETE")),
                ("parent_id", Attribute::reference("orchestration_stacks", Some("p"))),
                ("cloud_tenant_id", Attribute::reference("cloud_tenants", Some("t"))),
            ],
        );
    }
}
