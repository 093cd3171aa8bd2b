//! `POST …/schedules`.

use axum::extract::State;
use hatchery_app::access::needs;
use hatchery_app::{Cx, schedules};
use hatchery_wire::Item;
use hatchery_wire::client::Schedule;

use super::form::{self, SaveSchedule};
use super::shown::{self, Outcomes};
use crate::client::documented::{ServerErrors, ServerPath};
use crate::kit::answer::Ok200;
use crate::kit::error::ApiError;
use crate::kit::input::Input;
use crate::kit::server::Server;

/// Create a schedule
///
/// Without tasks, which are added one by one.
#[utoipa::path(
    post,
    path = "/api/client/servers/{server}/schedules",
    operation_id = "createSchedule",
    tag = "schedules",
    params(ServerPath),
    request_body = SaveSchedule,
    responses((status = 200, body = Item<Schedule>), ServerErrors)
)]
pub(crate) async fn create_schedule(
    State(cx): State<Cx>,
    Server(access): Server<needs::ScheduleCreate>,
    input: Input,
) -> Result<Ok200<Item<Schedule>>, ApiError> {
    let created = schedules::create(&cx, &access, form::read(&input)?).await?;
    Ok(Ok200(shown::schedule(created, Outcomes::Hidden).into()))
}
