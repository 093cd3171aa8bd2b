//! `GET …/schedules/{schedule}`.

use hatchery_app::access::needs;
use hatchery_wire::Item;
use hatchery_wire::client::Schedule;

use super::child::{ScheduleIncludes, ScheduleOf, SchedulePath};
use super::shown::{self, Outcomes};
use crate::client::documented::ServerErrors;
use crate::kit::answer::Ok200;
use crate::kit::input::Query;
use crate::kit::server::ServerWith;

/// View a schedule
#[utoipa::path(
    get,
    path = "/api/client/servers/{server}/schedules/{schedule}",
    operation_id = "viewSchedule",
    tag = "schedules",
    params(SchedulePath, ScheduleIncludes),
    responses((status = 200, body = Item<Schedule>), ServerErrors)
)]
pub(crate) async fn view_schedule(
    ServerWith(_access, ScheduleOf(schedule)): ServerWith<ScheduleOf, needs::ScheduleRead>,
    query: Query,
) -> Ok200<Item<Schedule>> {
    Ok200(shown::schedule(schedule, Outcomes::asked(&query)).into())
}
