//! The meta data of one page of a list (client-api.md §1.13).

use serde::Serialize;

/// `{"pagination": {…}}`, the meta of a paginated list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PageMeta {
    /// Where this page stands in the whole list.
    pub pagination: Pagination,
}

/// Where a page stands in the whole list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Pagination {
    /// How many resources the whole list has.
    pub total: u64,
    /// How many are on this page.
    pub count: u64,
    /// How many fit on a page.
    pub per_page: u64,
    /// The number of this page, from 1.
    pub current_page: u64,
    /// How many pages there are, at least 1.
    pub total_pages: u64,
    /// The neighbours; an empty object when there are none.
    pub links: Links,
}

/// Absolute addresses of the neighbouring pages. An absent neighbour is an absent key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Links {
    /// The page before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// The page after this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lonely_page_has_an_empty_object_of_links() {
        let pagination = Pagination {
            total: 0,
            count: 0,
            per_page: 50,
            current_page: 1,
            total_pages: 1,
            links: Links::default(),
        };
        assert_eq!(
            serde_json::to_string(&PageMeta { pagination }).unwrap(),
            r#"{"pagination":{"total":0,"count":0,"per_page":50,"current_page":1,"total_pages":1,"links":{}}}"#
        );
    }
}
