//! The engine through its public face: every sentence, the order of errors, and no panics.

use hatchery_rules::{FieldError, Fields, Pattern, Rule, RuleSet};
use proptest::prelude::*;
use serde_json::{Value, json};

fn details(result: Result<(), Vec<FieldError>>) -> Vec<String> {
    result
        .err()
        .unwrap_or_default()
        .into_iter()
        .map(|error| error.detail)
        .collect()
}

fn errors(fields: &Fields, input: &Value) -> Vec<(String, &'static str, String)> {
    let errors = fields.check(input).err().unwrap_or_default();
    errors
        .into_iter()
        .map(|error| (error.field, error.rule, error.detail))
        .collect()
}

/// For each rule string a value that passes, one that fails, and the sentence (client-api.md §2.2).
#[test]
fn every_sentence_of_a_single_value() {
    let cases: Vec<(&str, Value, Value, &str)> = vec![
        (
            "required",
            json!("x"),
            json!(""),
            "The value field is required.",
        ),
        (
            "filled",
            json!(0),
            json!(null),
            "The value field is required.",
        ),
        (
            "string",
            json!("1"),
            json!(1),
            "The value must be a string.",
        ),
        (
            "array",
            json!([]),
            json!("x"),
            "The value must be an array.",
        ),
        (
            "array",
            json!({"a": 1}),
            json!(3),
            "The value must be an array.",
        ),
        (
            "boolean",
            json!("0"),
            json!("true"),
            "The value field must be true or false.",
        ),
        (
            "numeric",
            json!("1.5"),
            json!("x"),
            "The value must be a number.",
        ),
        (
            "integer",
            json!("15"),
            json!("1.5"),
            "The value must be an integer.",
        ),
        (
            "int",
            json!(15),
            json!(true.to_string()),
            "The value must be an integer.",
        ),
        (
            "email",
            json!("a@b"),
            json!("a"),
            "The value must be a valid email address.",
        ),
        (
            "url",
            json!("https://a.b/c"),
            json!("a.b"),
            "The value format is invalid.",
        ),
        (
            "regex:/^a|b$/",
            json!("xb"),
            json!("x"),
            "The value format is invalid.",
        ),
        (
            "in:a,b",
            json!("b"),
            json!("c"),
            "The selected value is invalid.",
        ),
        (
            "not_in:a,b",
            json!("c"),
            json!("a"),
            "The selected value is invalid.",
        ),
        // A list is one of the values only where the rules want a list.
        (
            "in:a,b",
            json!("a"),
            json!(["a"]),
            "The selected value is invalid.",
        ),
        (
            "array|in:a,b",
            json!(["a", "b"]),
            json!(["a", "c"]),
            "The selected value is invalid.",
        ),
        (
            "alpha_dash",
            json!("grün_1-x"),
            json!("a b"),
            "The value may only contain letters, numbers, and dashes.",
        ),
        (
            "min:3",
            json!("abc"),
            json!("äö"),
            "The value must be at least 3 characters.",
        ),
        (
            "numeric|min:3",
            json!("10"),
            json!(2),
            "The value must be at least 3.",
        ),
        (
            "array|min:2",
            json!([1, 2]),
            json!([1]),
            "The value must have at least 2 items.",
        ),
        (
            "max:3",
            json!("äöü"),
            json!("abcd"),
            "The value may not be greater than 3 characters.",
        ),
        (
            "integer|max:3",
            json!(3),
            json!(4),
            "The value may not be greater than 3.",
        ),
        (
            "array|max:1",
            json!([1]),
            json!([1, 2]),
            "The value may not have more than 1 items.",
        ),
        (
            "between:2,3",
            json!("ab"),
            json!("a"),
            "The value must be between 2 and 3 characters.",
        ),
        (
            "numeric|between:2,3.5",
            json!("3.5"),
            json!(4),
            "The value must be between 2 and 3.5.",
        ),
        (
            "array|between:1,2",
            json!([1]),
            json!([1, 2, 3]),
            "The value must have between 1 and 2 items.",
        ),
        (
            "size:2",
            json!("ab"),
            json!("a"),
            "The value must be 2 characters.",
        ),
        (
            "numeric|size:2",
            json!("2.0"),
            json!(3),
            "The value must be 2.",
        ),
        (
            "array|size:2",
            json!([1, 2]),
            json!([1]),
            "The value must contain 2 items.",
        ),
        (
            "accepted",
            json!("yes"),
            json!("no"),
            "The value must be accepted.",
        ),
        (
            "active_url",
            json!("http://example.com"),
            json!("http//"),
            "The value is not a valid URL.",
        ),
        (
            "alpha",
            json!("abc"),
            json!("a1"),
            "The value may only contain letters.",
        ),
        (
            "alpha_num",
            json!("a1"),
            json!("a-1"),
            "The value may only contain letters and numbers.",
        ),
        (
            "alpha_num:ascii",
            json!("a1"),
            json!("ä"),
            "The value may only contain letters and numbers.",
        ),
        (
            "after:2026-01-01",
            json!("2026-01-02"),
            json!("2026-01-01"),
            "The value must be a date after 2026-01-01.",
        ),
        (
            "after_or_equal:2026-01-01",
            json!("2026-01-01"),
            json!("2025-12-31"),
            "The value must be a date after or equal to 2026-01-01.",
        ),
        (
            "before:2026-01-01",
            json!("2025-12-31"),
            json!("2026-01-01"),
            "The value must be a date before 2026-01-01.",
        ),
        (
            "before_or_equal:2026-01-01",
            json!("2026-01-01"),
            json!("2026-01-02"),
            "The value must be a date before or equal to 2026-01-01.",
        ),
        (
            "date",
            json!("2026-11-23"),
            json!("soon"),
            "The value is not a valid date.",
        ),
        (
            "date_format:H:i",
            json!("09:30"),
            json!("9"),
            "The value does not match the format H:i.",
        ),
        (
            "digits:4",
            json!("0123"),
            json!("123"),
            "The value must be 4 digits.",
        ),
        (
            "digits_between:2,3",
            json!(123),
            json!("1a"),
            "The value must be between 2 and 3 digits.",
        ),
        (
            "ip",
            json!("::1"),
            json!("1.2.3"),
            "The value must be a valid IP address.",
        ),
        (
            "json",
            json!("{\"a\":1}"),
            json!("{"),
            "The value must be a valid JSON string.",
        ),
        (
            "timezone",
            json!("Europe/Berlin"),
            json!("Berlin"),
            "The value must be a valid zone.",
        ),
        (
            "ascii",
            json!("a b"),
            json!("ä"),
            "The value field must only contain single-byte alphanumeric characters and symbols.",
        ),
        (
            "decimal:2",
            json!("1.25"),
            json!("1.2"),
            "The value field must have 2 decimal places.",
        ),
        (
            "decimal:1,2",
            json!("1.2"),
            json!("1"),
            "The value field must have 1-2 decimal places.",
        ),
        (
            "declined",
            json!("off"),
            json!(true),
            "The value field must be declined.",
        ),
        (
            "starts_with:a,b",
            json!("bx"),
            json!("x"),
            "The value field must start with one of the following: a, b.",
        ),
        (
            "ends_with:a,b",
            json!("xb"),
            json!("x"),
            "The value field must end with one of the following: a, b.",
        ),
        (
            "doesnt_start_with:a,b",
            json!("x"),
            json!("ax"),
            "The value field must not start with one of the following: a, b.",
        ),
        (
            "doesnt_end_with:a,b",
            json!("x"),
            json!("xa"),
            "The value field must not end with one of the following: a, b.",
        ),
        (
            "gt:5",
            json!(6),
            json!("5"),
            "The value field must be greater than 5.",
        ),
        (
            "gte:5",
            json!("5"),
            json!(4),
            "The value field must be greater than or equal to 5.",
        ),
        (
            "lt:5",
            json!(4),
            json!(5),
            "The value field must be less than 5.",
        ),
        (
            "lte:5",
            json!(5),
            json!("x"),
            "The value field must be less than or equal to 5 characters.",
        ),
        (
            "ipv4",
            json!("1.2.3.4"),
            json!("::1"),
            "The value field must be a valid IPv4 address.",
        ),
        (
            "ipv6",
            json!("::1"),
            json!("1.2.3.4"),
            "The value field must be a valid IPv6 address.",
        ),
        (
            "lowercase",
            json!("abc"),
            json!("aBc"),
            "The value field must be lowercase.",
        ),
        (
            "uppercase",
            json!("ABC"),
            json!("aBc"),
            "The value field must be uppercase.",
        ),
        (
            "mac_address",
            json!("00:1a:2b:3c:4d:5e"),
            json!("00"),
            "The value field must be a valid MAC address.",
        ),
        (
            "max_digits:3",
            json!("123"),
            json!(1234),
            "The value field must not have more than 3 digits.",
        ),
        (
            "min_digits:3",
            json!("123"),
            json!("12"),
            "The value field must have at least 3 digits.",
        ),
        (
            "multiple_of:0.1",
            json!(0.3),
            json!(0.35),
            "The value field must be a multiple of 0.1.",
        ),
        (
            "not_regex:/a|b/",
            json!("x"),
            json!("xb"),
            "The value field format is invalid.",
        ),
        (
            "ulid",
            json!("01ARZ3NDEKTSV4RRFFQ69G5FAV"),
            json!("x"),
            "The value field must be a valid ULID.",
        ),
        (
            "uuid",
            json!("f3f95466-7e8b-42a4-8504-6e7055874e39"),
            json!("x"),
            "The value field must be a valid UUID.",
        ),
        (
            "hex_color",
            json!("#00ff00"),
            json!("green"),
            "The value field must be a valid hexadecimal color.",
        ),
    ];
    for (rules, good, bad, sentence) in cases {
        let set = RuleSet::parse(rules);
        assert_eq!(set.problems(), [], "{rules}");
        assert_eq!(
            details(set.check_value("value", &good)),
            Vec::<String>::new(),
            "{rules} on {good}"
        );
        assert_eq!(
            details(set.check_value("value", &bad)),
            [sentence],
            "{rules} on {bad}"
        );
    }
}

#[test]
fn sentences_about_other_fields() {
    let cases: Vec<(&str, Value, Value, &str)> = vec![
        (
            "confirmed",
            json!({"a_b": 1, "a_b_confirmation": 1}),
            json!({"a_b": 1}),
            "The a b confirmation does not match.",
        ),
        (
            "present",
            json!({"a_b": null}),
            json!({}),
            "The a b field must be present.",
        ),
        (
            "required_unless:c_d,backup",
            json!({"c_d": "backup"}),
            json!({"c_d": "x"}),
            "The a b field is required unless c d is in backup.",
        ),
        (
            "required_if:c_d,1,2",
            json!({"c_d": 3}),
            json!({"c_d": 2}),
            "The a b field is required when c d is 2.",
        ),
        (
            "required_with:c_d,e",
            json!({}),
            json!({"e": 1}),
            "The a b field is required when c d / e is present.",
        ),
        (
            "required_with_all:c_d,e",
            json!({"e": 1}),
            json!({"e": 1, "c_d": 1}),
            "The a b field is required when c d / e is present.",
        ),
        (
            "required_without:c_d",
            json!({"c_d": 1}),
            json!({}),
            "The a b field is required when c d is not present.",
        ),
        (
            "required_without_all:c_d,e",
            json!({"e": 1}),
            json!({}),
            "The a b field is required when none of c d / e are present.",
        ),
        (
            "same:c_d",
            json!({"a_b": 1, "c_d": 1}),
            json!({"a_b": 1, "c_d": 2}),
            "The a b and c d must match.",
        ),
        (
            "different:c_d",
            json!({"a_b": 1}),
            json!({"a_b": 1, "c_d": 1}),
            "The a b and c d must be different.",
        ),
        (
            "in_array:c.*",
            json!({"a_b": 1, "c": [2, 1]}),
            json!({"a_b": 3, "c": [1]}),
            "The a b field does not exist in c.*.",
        ),
        (
            "numeric|gt:c_d",
            json!({"a_b": 3, "c_d": 2}),
            json!({"a_b": 1, "c_d": 2}),
            "The a b field must be greater than 2.",
        ),
        (
            "string|gt:c_d",
            json!({"a_b": "xx", "c_d": "x"}),
            json!({"a_b": "x", "c_d": "yy"}),
            "The a b field must be greater than 2 characters.",
        ),
        (
            "array|lte:c_d",
            json!({"a_b": [1], "c_d": [2]}),
            json!({"a_b": [1, 2], "c_d": [1]}),
            "The a b field must not have more than 1 items.",
        ),
        (
            "after:c_d",
            json!({"a_b": "2026-01-02", "c_d": "2026-01-01"}),
            json!({"a_b": "2026-01-02", "c_d": "x"}),
            "The a b must be a date after c d.",
        ),
    ];
    for (rules, good, bad, sentence) in cases {
        let fields = Fields::new().field("a_b", rules);
        assert_eq!(fields.problems(), Vec::<String>::new());
        assert_eq!(
            details(fields.check(&good)),
            Vec::<String>::new(),
            "{rules} on {good}"
        );
        assert_eq!(details(fields.check(&bad)), [sentence], "{rules} on {bad}");
    }
}

#[test]
fn presence_null_and_emptiness() {
    // (rules, input, names of the failed rules)
    let cases: Vec<(&str, Value, &[&str])> = vec![
        ("required|string|min:1", json!({}), &["required"]),
        ("required|string|min:1", json!({"v": "  "}), &["required"]),
        ("required|string|min:1", json!({"v": []}), &["required"]),
        ("required|boolean", json!({"v": false}), &[]),
        ("required|string", json!({"v": "0"}), &[]),
        ("string|max:3", json!({}), &[]),
        ("string|max:3", json!({"v": ""}), &[]),
        ("string|max:3", json!({"v": null}), &["string"]),
        ("nullable|string|max:3", json!({"v": null}), &[]),
        (
            "nullable|required|string",
            json!({"v": null}),
            &["required"],
        ),
        ("boolean", json!({"v": null}), &["boolean"]),
        ("string|max:3", json!({"v": 12345}), &["string", "max"]),
        ("array|max:3", json!({"v": "abcd"}), &["array", "max"]),
        ("bail|string|max:3", json!({"v": 12345}), &["string"]),
        ("sometimes|required|numeric", json!({}), &[]),
        (
            "sometimes|required|numeric",
            json!({"v": null}),
            &["required"],
        ),
        ("filled|boolean", json!({}), &[]),
        ("filled|boolean", json!({"v": null}), &["filled"]),
        ("nullable|string|max:256|present", json!({}), &["present"]),
        ("nullable|string|max:256|present", json!({"v": null}), &[]),
        ("present", json!([1, 2]), &["present"]),
        ("required", json!("not an object"), &["required"]),
    ];
    for (rules, input, expected) in cases {
        let failed: Vec<_> = errors(&Fields::new().field("v", rules), &input)
            .into_iter()
            .map(|e| e.1)
            .collect();
        assert_eq!(failed, expected, "{rules} on {input}");
    }
}

#[test]
fn children_come_line_by_line_and_keep_their_raw_names() {
    let fields = Fields::new()
        .field("root", "required|nullable|string")
        .field("files", "required|array")
        .field("files.*", "array")
        .field("files.*.to", "required|string")
        .field("files.*.from_name", "required|string");
    let input = json!({"root": null, "files": [{"to": 1, "from_name": "a"}, "x", {"to": "b", "from_name": null}]});
    let expected = [
        ("root", "required", "The root field is required."),
        ("files.1", "array", "The files.1 must be an array."),
        ("files.0.to", "string", "The files.0.to must be a string."),
        (
            "files.1.to",
            "required",
            "The files.1.to field is required.",
        ),
        (
            "files.1.from_name",
            "required",
            "The files.1.from_name field is required.",
        ),
        (
            "files.2.from_name",
            "required",
            "The files.2.from_name field is required.",
        ),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|(f, r, d)| ((*f).to_owned(), *r, (*d).to_owned()))
        .collect();
    assert_eq!(errors(&fields, &input), expected);
    assert_eq!(
        errors(&fields, &json!({"root": "/"})),
        [(
            "files".to_owned(),
            "required",
            "The files field is required.".to_owned()
        )]
    );
}

#[test]
fn duplicates_within_a_list() {
    let fields = Fields::new().field("ids.*", "distinct");
    assert_eq!(
        details(fields.check(&json!({"ids": [1, 2, "1"]}))),
        [
            "The ids.0 field has a duplicate value.",
            "The ids.2 field has a duplicate value."
        ]
    );
}

#[test]
fn rules_made_by_code() {
    let images = vec!["a,b".to_owned(), "c|d".to_owned()];
    let fields = Fields::new().rules(
        "docker_image",
        RuleSet::parse("required|string").and(Rule::In(images)),
    );
    assert_eq!(
        details(fields.check(&json!({"docker_image": "a,b"}))),
        Vec::<String>::new()
    );
    assert_eq!(
        details(fields.check(&json!({"docker_image": "a"}))),
        ["The selected docker image is invalid."]
    );
    assert_eq!(
        FieldError::taken("email_address").detail,
        "The email address has already been taken."
    );
    assert_eq!(
        FieldError::selected("egg_id").detail,
        "The selected egg id is invalid."
    );
    assert_eq!(FieldError::custom("a.0", "x").rule, "");
}

#[test]
fn an_answer_stays_short() {
    let many: Vec<_> = (0..5000).collect();
    let found = Fields::new()
        .field("a.*", "string")
        .check(&json!({"a": many}))
        .unwrap_err();
    assert_eq!(found.len(), 500);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-c*.]{1,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_rule_string_reads_without_panic(rules in ".{0,60}", value in any_json()) {
        let _ = RuleSet::parse(&rules).check_value("value", &value);
        let _ = Pattern::parse(&rules);
    }

    #[test]
    fn any_value_meets_any_rule_without_panic(
        name in prop::sample::select(vec![
            "accepted", "after:b", "alpha", "array", "between:1,3", "boolean", "confirmed", "date", "date_format:Y-m-d\\H",
            "decimal:1,2", "different:b", "digits:2", "distinct", "email", "filled", "gt:b", "in:a,b", "in_array:b.*",
            "integer", "ip", "json", "lowercase", "max:2", "multiple_of:0", "numeric", "regex:/^[^[]*$/u", "required_if:b,1",
            "required_without:b", "same:b", "size:1", "starts_with:", "timezone", "url", "uuid", "ulid", "mac_address",
        ]),
        input in any_json(),
    ) {
        let fields = Fields::new().field("a", name).field("a.*.b", name).field("*", name);
        prop_assert_eq!(fields.problems(), Vec::<String>::new());
        if let Err(errors) = fields.check(&input) {
            for error in errors {
                prop_assert!(error.detail.starts_with("The ") && error.detail.ends_with('.'));
            }
        }
    }
}
