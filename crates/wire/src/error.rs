//! Error documents (client-api.md §2.1 and §2.2).

use std::borrow::Cow;

use serde::Serialize;

/// What an unsuccessful answer carries: one entry, or one per failed rule of a validation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ErrorDocument {
    /// Never empty.
    pub errors: Vec<ErrorEntry>,
}

/// One thing that went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ErrorEntry {
    /// The class of the error, such as `NotFoundHttpException`.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub code: Cow<'static, str>,
    /// The HTTP status, as a string.
    pub status: String,
    /// A sentence for people, on which clients match all the same.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub detail: Cow<'static, str>,
    /// Only on validation errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta: Option<ErrorMeta>,
}

/// Which input was refused, and by which rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ErrorMeta {
    /// The dotted name of the input, such as `files.0.to`.
    pub source_field: String,
    /// The rule in snake case; empty where code refused the value and no rule did.
    pub rule: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_a_string_and_meta_appears_only_on_validation() {
        let mut entry = ErrorEntry {
            code: "NotFoundHttpException".into(),
            status: "404".to_owned(),
            detail: "Gone.".into(),
            meta: None,
        };
        assert_eq!(
            serde_json::to_string(&ErrorDocument {
                errors: vec![entry.clone()]
            })
            .unwrap(),
            r#"{"errors":[{"code":"NotFoundHttpException","status":"404","detail":"Gone."}]}"#
        );
        entry.meta = Some(ErrorMeta {
            source_field: "name".to_owned(),
            rule: "required".to_owned(),
        });
        assert!(
            serde_json::to_string(&entry)
                .unwrap()
                .ends_with(r#""meta":{"source_field":"name","rule":"required"}}"#)
        );
    }
}
