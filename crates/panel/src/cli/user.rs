//! `hatchery user`: people who can sign in.

use clap::{Args, Subcommand};
use hatchery_config::Settings;
use hatchery_store::User;
use serde_json::{Value, json};

use super::output::{Failure, Output};
use super::session::Session;
use hatchery_app::users::{self, NewPerson};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create somebody who can sign in
    Create(Create),
    /// Give somebody a new password and sign them out everywhere
    ResetPassword(ResetPassword),
    /// Show everybody
    List,
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// The name to sign in with
    #[arg(long)]
    username: String,
    /// The e-mail address
    #[arg(long)]
    email: String,
    /// The password; without it one is made and printed
    #[arg(long)]
    password: Option<String>,
    /// Let them do everything
    #[arg(long)]
    admin: bool,
}

#[derive(Debug, Args)]
pub(super) struct ResetPassword {
    /// The user name or e-mail address
    #[arg(long, value_name = "USER")]
    user: String,
    /// The new password; without it one is made and printed
    #[arg(long)]
    password: Option<String>,
}

pub(super) fn run(command: Command, settings: &Settings, output: Output) -> Result<(), Failure> {
    Session::run(settings, async |session| match command {
        Command::Create(arguments) => create(session, arguments, output).await,
        Command::ResetPassword(arguments) => reset_password(session, arguments, output).await,
        Command::List => list(session, output).await,
    })
}

async fn create(session: &Session, arguments: Create, output: Output) -> Result<(), Failure> {
    let cx = &session.cx;
    let made = arguments
        .password
        .is_none()
        .then(|| users::generate_password(cx));
    let person = NewPerson {
        username: arguments.username,
        email: arguments.email,
        password: arguments
            .password
            .or_else(|| made.clone())
            .unwrap_or_default(),
        admin: arguments.admin,
    };
    let user = users::create(cx, &person).await?;
    let mut json = describe(&user);
    if let Some(made) = &made {
        json["password"] = made.as_str().into();
    }
    let role = if user.root_admin {
        "administrator"
    } else {
        "user"
    };
    output.answer(
        format!(
            "created the {role} {}{}",
            user.username,
            told(made.as_deref())
        ),
        &json,
    )
}

async fn reset_password(
    session: &Session,
    arguments: ResetPassword,
    output: Output,
) -> Result<(), Failure> {
    let cx = &session.cx;
    let user = users::find(cx, &arguments.user).await?;
    let made = arguments
        .password
        .is_none()
        .then(|| users::generate_password(cx));
    let password = arguments
        .password
        .or_else(|| made.clone())
        .unwrap_or_default();
    users::reset_password(cx, &user, &password).await?;
    let mut json = json!({ "username": user.username });
    if let Some(made) = &made {
        json["password"] = made.as_str().into();
    }
    output.answer(
        format!(
            "{} has a new password{}",
            user.username,
            told(made.as_deref())
        ),
        &json,
    )
}

fn told(password: Option<&str>) -> String {
    password
        .map(|password| format!(": {password}"))
        .unwrap_or_default()
}

async fn list(session: &Session, output: Output) -> Result<(), Failure> {
    let users = users::all(&session.cx).await?;
    let lines = users.iter().map(|user| {
        let role = if user.root_admin {
            "administrator"
        } else {
            "user"
        };
        format!("{}  {}  {role}", user.username, user.email)
    });
    let json = Value::Array(users.iter().map(describe).collect());
    output.answer(lines.collect::<Vec<_>>().join("\n"), &json)
}

fn describe(user: &User) -> Value {
    json!({
        "uuid": user.uuid.to_string(),
        "username": user.username,
        "email": user.email,
        "admin": user.root_admin,
        "created_at": user.created_at.iso_utc(),
    })
}
