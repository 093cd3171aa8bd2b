//! What every answer is wrapped in (client-api.md §1.12).

use serde::Serialize;

/// Something that the API shows, with its public type name.
pub trait Resource: Serialize {
    /// The value of `object`.
    const OBJECT: &'static str;
}

/// One resource: `{"object": …, "attributes": {…}}`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Item<T> {
    object: &'static str,
    attributes: T,
}

impl<T: Resource> From<T> for Item<T> {
    fn from(attributes: T) -> Self {
        Self {
            object: T::OBJECT,
            attributes,
        }
    }
}

/// One resource with something beside it: `{"object": …, "attributes": {…}, "meta": {…}}`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ItemWith<T, M> {
    object: &'static str,
    attributes: T,
    meta: M,
}

impl<T: Resource, M> ItemWith<T, M> {
    /// The resource and its meta data.
    pub const fn new(attributes: T, meta: M) -> Self {
        Self {
            object: T::OBJECT,
            attributes,
            meta,
        }
    }
}

/// Several resources. A list that is not paginated has no `meta` at all.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct List<T> {
    object: &'static str,
    data: Vec<Item<T>>,
}

impl<T: Resource> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(resources: I) -> Self {
        Self {
            object: LIST,
            data: resources.into_iter().map(Item::from).collect(),
        }
    }
}

/// Several resources with something beside them, most often a page's [`crate::PageMeta`].
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ListWith<T, M> {
    object: &'static str,
    data: Vec<Item<T>>,
    meta: M,
}

impl<T: Resource, M> ListWith<T, M> {
    /// The resources and their meta data.
    pub fn new(resources: impl IntoIterator<Item = T>, meta: M) -> Self {
        Self {
            object: LIST,
            data: resources.into_iter().map(Item::from).collect(),
            meta,
        }
    }
}

const LIST: &str = "list";

/// A relationship that was asked for: shown, or a null resource where it is absent or may not be
/// seen.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum Included<T> {
    /// The related item or list.
    Shown(T),
    /// `{"object":"null_resource","attributes":null}`.
    Hidden(NullResource),
}

impl<T> Included<T> {
    /// The null resource.
    pub const HIDDEN: Self = Self::Hidden(NullResource {
        object: "null_resource",
        attributes: (),
    });
}

/// What stands for something that is absent or may not be seen.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NullResource {
    object: &'static str,
    attributes: (),
}

/// The envelope of the few answers that are no resource: `{"data": {…}}`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Data<T> {
    /// The answer itself.
    pub data: T,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, Serialize)]
    struct Thing {
        id: u8,
    }

    crate::resources! { Thing: "thing", }

    fn json(value: &impl Serialize) -> String {
        serde_json::to_string(value).unwrap()
    }

    #[test]
    fn envelopes_have_the_specified_keys_in_order() {
        assert_eq!(
            json(&Item::from(Thing { id: 1 })),
            r#"{"object":"thing","attributes":{"id":1}}"#
        );
        assert_eq!(
            json(&ItemWith::new(Thing { id: 1 }, true)),
            r#"{"object":"thing","attributes":{"id":1},"meta":true}"#
        );
        let list: List<Thing> = [Thing { id: 1 }].into_iter().collect();
        assert_eq!(
            json(&list),
            r#"{"object":"list","data":[{"object":"thing","attributes":{"id":1}}]}"#
        );
        assert_eq!(
            json(&ListWith::new([] as [Thing; 0], 7)),
            r#"{"object":"list","data":[],"meta":7}"#
        );
    }

    #[test]
    fn what_may_not_be_seen_is_a_null_resource() {
        assert_eq!(
            json(&Included::<Item<Thing>>::HIDDEN),
            r#"{"object":"null_resource","attributes":null}"#
        );
        assert_eq!(
            json(&Included::Shown(Item::from(Thing { id: 2 }))),
            r#"{"object":"thing","attributes":{"id":2}}"#
        );
    }
}
