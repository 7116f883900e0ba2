//! Conditions made of their own grammar's pieces, asked about mangled events.

use crate::trials::rules;
use crate::{cases, mangled};
use proptest::prelude::*;

fn piece() -> impl Strategy<Value = String> {
    let atom = prop::sample::select(vec![
        "event.full_data",
        "event.full_data.id",
        "event.full_data.detail.eventName",
        "event.timestamp",
        "event.chain_id",
        "vm.name",
        "host.name",
        "ems",
        "x",
        "1",
        "-9223372036854775808",
        "9223372036854775807",
        "18446744073709551615u",
        "1.5",
        "0",
        "'a'",
        "b'\\xff'",
        "null",
        "true",
        "timestamp('9999-12-31T23:59:59Z')",
        "duration('9223372036s')",
        "[]",
        "{}",
        "{'a': 1}",
    ]);
    atom.prop_map(str::to_owned).prop_recursive(4, 24, 3, |inner| {
        let operator =
            prop::sample::select(vec!["+", "-", "*", "/", "%", "<", "==", "!=", "&&", "||", "in", ">="]);
        let macro_name = prop::sample::select(vec!["exists", "all", "exists_one", "map", "filter"]);
        let method = prop::sample::select(vec![
            "size()",
            "startsWith('a')",
            "matches('a+')",
            "contains('a')",
            "getHours()",
            "getDayOfYear()",
            "getFullYear('America/New_York')",
            "endsWith(1)",
        ]);
        let function = prop::sample::select(vec![
            "string",
            "int",
            "uint",
            "double",
            "size",
            "type",
            "has",
            "bytes",
            "timestamp",
        ]);
        prop_oneof![
            (inner.clone(), operator, inner.clone())
                .prop_map(|(a, operator, b)| format!("({a} {operator} {b})")),
            (inner.clone(), macro_name, inner.clone()).prop_map(|(a, name, b)| format!("{a}.{name}(x, {b})")),
            (inner.clone(), method).prop_map(|(a, method)| format!("{a}.{method}")),
            (function, inner.clone()).prop_map(|(function, a)| format!("{function}({a})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}[{b}]")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            inner.clone().prop_map(|a| format!("!{a}")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("[{a}, {b}]")),
        ]
    })
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn a_condition_of_any_shape_is_answered(condition in piece(), (_, full_data) in mangled::event()) {
        rules::hold(format!("{condition}\0{full_data}").as_bytes());
    }

    #[test]
    fn any_text_is_a_condition_or_is_told_what_it_is_not(text in "\\PC{0,60}") {
        rules::hold(text.as_bytes());
    }

    #[test]
    fn a_text_of_brackets_and_operators_is_answered(text in "[-(){}\\[\\]?:.!+*/&|<=>,'\"a1 ]{0,60}") {
        rules::hold(text.as_bytes());
    }
}
