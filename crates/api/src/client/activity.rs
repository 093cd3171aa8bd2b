//! What both activity logs share.

use hatchery_app::activity::{ActivityPage, has_additional_metadata, shown_properties};
use hatchery_store::{ActivityOrder, ActivityQuery, ActivityRecord, User};
use hatchery_wire::client::{ActivityLog, ActivityRelationships};
use hatchery_wire::{Included, ListWith, PageMeta};
use sha1::{Digest as _, Sha1};
use utoipa::IntoParams;

use crate::kit::error::ApiError;
use crate::kit::input::Query;
use crate::kit::origin::Here;
use crate::kit::page::{Page, PageSize};
use crate::kit::query::{Includes, Unknown, filters, sorts};
use crate::render;

const SIZE: PageSize = PageSize {
    default: 25,
    max: 100,
};

/// How a log can be narrowed and ordered.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only described, never made")]
pub(crate) struct ActivityParameters {
    /// `timestamp`, or `-timestamp` for the newest first.
    sort: Option<String>,
    /// A part of the event's name, or several with commas.
    #[param(rename = "filter[event]")]
    filter_event: Option<String>,
    /// `actor`.
    include: Option<String>,
}

/// What of a log a request wants.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) query: ActivityQuery,
    page: Page,
    with_actor: bool,
}

impl Request {
    pub(crate) fn read(query: &Query) -> Result<Self, ApiError> {
        let filters = filters(query, &["event"], Unknown::Refused)?;
        let sorts = sorts(query, &["timestamp"], Unknown::Refused)?;
        let order = sorts.first().map_or(ActivityOrder::Recorded, |sort| {
            if sort.descending {
                ActivityOrder::NewestFirst
            } else {
                ActivityOrder::OldestFirst
            }
        });
        let page = Page::read(query, SIZE);
        Ok(Self {
            query: ActivityQuery {
                event: filters
                    .into_iter()
                    .flat_map(|filter| filter.values)
                    .collect(),
                order,
                page: page.into(),
                hide_admins: false,
            },
            page,
            with_actor: Includes::read(query).wants("actor"),
        })
    }

    /// The answer, as `reader` sees it.
    pub(crate) fn answer(
        &self,
        found: ActivityPage,
        reader: &User,
        here: &Here,
        query: &Query,
    ) -> ListWith<ActivityLog, PageMeta> {
        let meta = self
            .page
            .meta(found.total, found.items.len() as u64, here, query);
        ListWith::new(
            found
                .items
                .into_iter()
                .map(|record| self.shown(record, reader)),
            meta,
        )
    }

    fn shown(&self, record: ActivityRecord, reader: &User) -> ActivityLog {
        let by_reader = record
            .actor
            .as_ref()
            .is_some_and(|actor| actor.id == reader.id);
        let actor = || match &record.actor {
            Some(actor) => Included::Shown(render::public_user(actor).into()),
            None => Included::HIDDEN,
        };
        ActivityLog {
            id: render::hex(&Sha1::digest(record.id.to_string())),
            batch: None,
            is_api: record.api_key.is_some(),
            relationships: self
                .with_actor
                .then(|| ActivityRelationships { actor: actor() }),
            ip: record.ip.filter(|_| by_reader || reader.root_admin),
            description: record.description,
            properties: shown_properties(&record.properties, by_reader),
            has_additional_metadata: has_additional_metadata(&record.event, &record.properties),
            timestamp: record.at.iso_utc(),
            event: record.event,
        }
    }
}
