//! Pages of lists and the links between them (client-api.md §1.13).

use axum::response::Response;
use hatchery_wire::{Item, Links, List, PageMeta, Pagination, Resource};
use serde::Serialize;
use serde_json::{Map, Value};

use super::answer::json_response;
use super::form;
use super::input::Query;
use super::origin::Here;
use super::query::{Unknown, filters, sorts};

/// How large pages of a list may be.
#[derive(Clone, Copy, Debug)]
pub struct PageSize {
    /// Without `per_page`.
    pub default: u64,
    /// The most that `per_page` can ask for.
    pub max: u64,
}

/// What `per_page=0` asks for: the reference falls back to its framework's own default.
const FRAMEWORK_DEFAULT: u64 = 15;

/// Which page of a list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// From 1.
    pub number: u64,
    /// At least 1.
    pub per_page: u64,
}

impl Page {
    /// Reads `page` and `per_page`.
    pub fn read(query: &Query, size: PageSize) -> Self {
        let number = query
            .text("page")
            .and_then(|page| page.parse().ok())
            .filter(|page| *page > 0);
        let per_page = match query.text("per_page") {
            None => size.default,
            Some(text) => match text.parse::<i64>() {
                Ok(0) => FRAMEWORK_DEFAULT,
                Ok(wanted) => u64::try_from(wanted).map_or(1, |wanted| wanted.min(size.max)),
                // Not a number: the largest page, as in the reference.
                Err(_) => size.max,
            },
        };
        Self {
            number: number.unwrap_or(1),
            per_page,
        }
    }

    /// The meta data of this page.
    pub fn meta(self, total: u64, count: u64, here: &Here, query: &Query) -> PageMeta {
        let total_pages = total.div_ceil(self.per_page).max(1);
        let link = |number: u64| {
            let mut variables = query.variables().clone();
            variables.shift_remove("page");
            variables.insert("page".to_owned(), Value::String(number.to_string()));
            format!("{}?{}", here.url(), form::write(&variables))
        };
        let links = Links {
            previous: (self.number > 1).then(|| link(self.number - 1)),
            next: (self.number < total_pages).then(|| link(self.number + 1)),
        };
        let pagination = Pagination {
            total,
            count,
            per_page: self.per_page,
            current_page: self.number,
            total_pages,
            links,
        };
        PageMeta { pagination }
    }
}

impl From<Page> for hatchery_store::Page {
    fn from(page: Page) -> Self {
        Self {
            number: page.number,
            size: page.per_page,
        }
    }
}

/// A list that the reference answers whole. `sort`, `filter`, `page` and `per_page` work on it all
/// the same, on every attribute that its resources show, and its `meta` appears only when a page
/// is asked for.
pub fn whole_list<T: Resource>(
    resources: impl IntoIterator<Item = T>,
    query: &Query,
    here: &Here,
) -> Response {
    let list: List<T> = resources.into_iter().collect();
    match arranged(&list, (), query, here) {
        Some(arranged) => json_response(&arranged),
        None => json_response(&list),
    }
}

/// A list as a request wants it arranged, with what stands in its `meta` in any case; nothing when
/// the request wants nothing of the kind.
pub fn arranged<M: Serialize>(
    list: &impl Serialize,
    meta: M,
    query: &Query,
    here: &Here,
) -> Option<Arranged<M>> {
    const SIZE: PageSize = PageSize {
        default: 50,
        max: 100,
    };
    let asks = |name| query.get(name).is_some();
    if !["sort", "filter", "page", "per_page"].into_iter().any(asks) {
        return None;
    }
    let Ok(Value::Object(mut list)) = serde_json::to_value(list) else {
        return None;
    };
    let Some(Value::Array(mut items)) = list.remove("data") else {
        return None;
    };
    arrange(&mut items, query);
    let mut page_meta = None;
    if asks("page") || asks("per_page") {
        let (page, total) = (Page::read(query, SIZE), items.len() as u64);
        items = items
            .into_iter()
            .skip(usize::try_from(hatchery_store::Page::from(page).offset()).unwrap_or(usize::MAX))
            .take(page.per_page as usize)
            .collect();
        page_meta = Some(page.meta(total, items.len() as u64, here, query));
    }
    let has_meta = size_of::<M>() > 0 || page_meta.is_some();
    Some(Arranged {
        object: "list",
        data: items,
        meta: has_meta.then_some(ArrangedMeta {
            meta,
            page: page_meta,
        }),
    })
}

/// A list that was filtered, sorted or cut into pages.
#[derive(Debug, Serialize)]
pub struct Arranged<M> {
    object: &'static str,
    data: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<ArrangedMeta<M>>,
}

#[derive(Debug, Serialize)]
struct ArrangedMeta<M> {
    #[serde(flatten)]
    meta: M,
    #[serde(flatten)]
    page: Option<PageMeta>,
}

/// Filters and sorts items by the attributes that they show.
fn arrange(items: &mut Vec<Value>, query: &Query) {
    let Some(shown) = items.first().and_then(attributes) else {
        return;
    };
    let names: Vec<String> = shown.keys().cloned().collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    // Nothing is refused here, so both are always read.
    let filters = filters(query, &names, Unknown::Ignored).unwrap_or_default();
    let sorts = sorts(query, &names, Unknown::Ignored).unwrap_or_default();
    items.retain(|item| {
        filters.iter().all(|filter| {
            let text = text_of(attribute(item, &filter.name)).to_lowercase();
            filter
                .values
                .iter()
                .any(|value| text.contains(&value.to_lowercase()))
        })
    });
    items.sort_by(|left, right| {
        let by = sorts.iter().map(|sort| {
            sort.apply(compare(
                attribute(left, &sort.name),
                attribute(right, &sort.name),
            ))
        });
        by.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
}

fn attributes(item: &Value) -> Option<&Map<String, Value>> {
    item.get("attributes")?.as_object()
}

fn attribute<'a>(item: &'a Value, name: &str) -> &'a Value {
    attributes(item)
        .and_then(|attributes| attributes.get(name))
        .unwrap_or(&Value::Null)
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Nulls first, numbers by value, the rest as text without regard to case.
fn compare(left: &Value, right: &Value) -> std::cmp::Ordering {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left
            .as_f64()
            .unwrap_or(0.0)
            .total_cmp(&right.as_f64().unwrap_or(0.0)),
        _ => text_of(left)
            .to_lowercase()
            .cmp(&text_of(right).to_lowercase()),
    }
}

/// A page of resources that are written already.
#[derive(Debug)]
pub struct WrittenPage {
    /// Each one an [`Item`] as JSON.
    pub items: Vec<bytes::Bytes>,
    /// Beside them.
    pub meta: PageMeta,
}

impl WrittenPage {
    /// The whole document.
    pub fn write(&self) -> serde_json::Result<bytes::Bytes> {
        const HEAD: &[u8] = br#"{"object":"list","data":["#;
        const META: &[u8] = br#"],"meta":"#;
        /// Room for the meta data, links included.
        const TAIL: usize = 1024;
        let length: usize = self.items.iter().map(|item| item.len() + 1).sum();
        let mut body = Vec::with_capacity(HEAD.len() + length + META.len() + TAIL);
        body.extend_from_slice(HEAD);
        for (index, item) in self.items.iter().enumerate() {
            if index > 0 {
                body.push(b',');
            }
            body.extend_from_slice(item);
        }
        body.extend_from_slice(META);
        serde_json::to_writer(&mut body, &self.meta)?;
        body.push(b'}');
        Ok(body.into())
    }
}

/// Writes one resource with its envelope.
pub fn write_item<T: Resource>(resource: T) -> serde_json::Result<bytes::Bytes> {
    serde_json::to_vec(&Item::from(resource)).map(Into::into)
}
