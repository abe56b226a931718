//! Accounts, and who has them.

use super::pages::Pages;
use super::wire::{BLANK, Failure, User, object};
use crate::compat::accounts::new_password;
use crate::endpoint::Endpoint;
use crate::extract::{
    Account, AccountFile, Authenticated, Base, Body, Check, Extract, Field, Input, JsonType, Parts, Path, Query, Read,
    State,
};
use crate::problem::{FieldCode, Kind, Problem};
use crate::respond;
use crate::traffic::AddressClass;
use crate::uploads;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tertulia_application::account::{FindUserError, OpenAccount};
use tertulia_domain::{DisplayName, DisplayNameError, Email, Password, Profile, ProfileValue};
use utoipa::{IntoParams, ToSchema};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("/api/users")
            .posts_counted_as(AddressClass::Auth)
            .post(register)
            .get(list),
        Endpoint::new("/api/users/upload").post(upload),
        Endpoint::new("/api/users/{id}").put(change_password),
    ]
}

/// Characters of whatever a user is described by, at the most.
const MOST: usize = 100;

/// Somebody wants an account.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Registration {
    #[schema(value_type = NewUser, required = true)]
    #[serde(default)]
    user: Field<NewUser>,
}

/// Who they are.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewUser {
    #[schema(value_type = String, required = true, min_length = 1, max_length = 100)]
    #[serde(default)]
    name: Field<String>,
    #[schema(value_type = String, required = true, min_length = 1, max_length = 100)]
    #[serde(default)]
    subname: Field<String>,
    /// Unique without regard to case.
    #[schema(value_type = String, required = true, format = Email, max_length = 100)]
    #[serde(default)]
    email: Field<String>,
    #[schema(value_type = String, required = true, min_length = 1, max_length = 100)]
    #[serde(default)]
    job: Field<String>,
    /// Without one, the service chooses it, mails it and shows it in the answer.
    #[schema(value_type = Option<String>, format = Password, min_length = 6, max_length = 128)]
    #[serde(default)]
    password: Field<String>,
}

impl JsonType for NewUser {
    const EXPECTED: &'static str = "must be an object";

    fn of(value: Value) -> Option<Self> {
        object(value)
    }
}

impl Input for Registration {
    type Output = OpenAccount;

    fn parse(self, mut check: Check) -> Result<OpenAccount, Problem> {
        let Some(given) = check.required("user", self.user, Ok::<_, &str>) else {
            return check.finish(None);
        };
        let name = check.required("name", given.name, |text| line(&text));
        let subname = check.required("subname", given.subname, |text| line(&text));
        let email = check.required("email", given.email, |text| email(&text));
        let job = check.required("job", given.job, |text| line(&text));
        let password = check.optional("password", given.password, new_password);
        let facts = name.zip(subname).zip(job);
        let made = facts.zip(email).map(|(((name, subname), job), email)| {
            let display_name = DisplayName::new(&format!("{name} {subname}"));
            let facts = [("name", name), ("subname", subname), ("job", job)];
            let facts = facts.map(|(name, text)| (name.to_owned(), ProfileValue::Text(text)));
            Ok(OpenAccount {
                username: None,
                email: Some(email),
                display_name: Some(display_name.map_err(Problem::internal)?),
                profile: Profile::new(facts).map_err(Problem::internal)?,
                password,
            })
        });
        check.finish(made)?
    }
}

/// A text on one line with something in it.
fn line(text: &str) -> Result<String, String> {
    not_too_long(text)?;
    match DisplayName::new(text) {
        Ok(line) => Ok(line.as_str().to_owned()),
        Err(DisplayNameError::Length) => Err(BLANK.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn email(text: &str) -> Result<Email, String> {
    not_too_long(text)?;
    if text.trim().is_empty() {
        return Err(BLANK.to_owned());
    }
    Email::new(text).map_err(|error| error.to_string())
}

fn not_too_long(text: &str) -> Result<(), String> {
    if text.chars().count() > MOST {
        return Err(format!("should be at most {MOST} character(s)"));
    }
    Ok(())
}

/// Register
///
/// Without a password, the service chooses one: it is mailed, and shown in this answer and never again.
#[utoipa::path(
    post,
    path = "/api/users",
    tag = "users",
    operation_id = "register",
    security(()),
    request_body = Registration,
    responses((status = 201, description = "The user", body = User))
)]
pub(crate) async fn register(state: State, Body(command): Body<Registration>) -> Result<HttpResponse, Problem> {
    let opened = state.services.accounts.open_account(command).await?;
    let generated = opened.generated.as_ref().map(Password::expose);
    let user = User::new(&opened.user).with_password(generated);
    Ok(respond::json(StatusCode::CREATED, &user))
}

/// Which users to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct UserQuery {
    /// Which page.
    #[param(value_type = Option<u32>, minimum = 1, default = 1)]
    page: Option<String>,
    /// Users at the most.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 1000)]
    limit: Option<String>,
}

/// List everybody
///
/// By their number, smallest first.
#[utoipa::path(
    get,
    path = "/api/users",
    tag = "users",
    operation_id = "list_users",
    params(UserQuery),
    responses((
        status = 200,
        description = "Users",
        body = Vec<User>,
        headers(("Link" = String, description = "With `rel=\"next\"`: where the list goes on, if it does"))
    ))
)]
pub(crate) async fn list(
    state: State,
    Authenticated(..): Authenticated<Read>,
    Base(base): Base,
    Query(query): Query<UserQuery>,
) -> Result<HttpResponse, Problem> {
    let pages = Pages::new(query.page.as_deref(), query.limit.as_deref());
    let users = state.services.accounts.users_by_page(pages.window()).await?;
    let shown: Vec<User> = users.items.iter().map(User::new).collect();
    pages.answer(&shown, users.total, &format!("{base}/api/users?"))
}

/// Another password.
#[derive(Deserialize, ToSchema)]
pub(crate) struct PasswordChange {
    #[schema(value_type = String, required = true, format = Password, min_length = 6, max_length = 128)]
    #[serde(default)]
    password: Field<String>,
}

impl Input for PasswordChange {
    type Output = Password;

    fn parse(self, mut check: Check) -> Result<Password, Problem> {
        let password = check.required("password", self.password, new_password);
        check.finish(password)
    }
}

/// The user that the path names. Whatever is no number is nobody's.
pub(crate) struct OfUser(i64);

impl Extract for OfUser {
    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self, Problem> {
        let number = Path::<i64>::extract(request, payload).await;
        number.map(|Path(number)| Self(number)).map_err(|_| nobody("id"))
    }
}

/// Change one's password
///
/// Ends one's other sessions.
#[utoipa::path(
    put,
    path = "/api/users/{id}",
    tag = "users",
    operation_id = "change_password",
    params(("id" = i64, Path, description = "Oneself")),
    request_body = PasswordChange,
    responses(
        (
            status = 200,
            description = "The password from now on",
            body = String,
            content_type = "application/json"
        ),
        (status = 403, description = "Somebody else", body = Failure)
    )
)]
pub(crate) async fn change_password(
    state: State,
    Authenticated(caller, _): Authenticated<Account>,
    OfUser(number): OfUser,
    Body(password): Body<PasswordChange>,
) -> Result<HttpResponse, Problem> {
    let accounts = &state.services.accounts;
    let user = accounts.user_by_number(number).await.map_err(|error| match error {
        FindUserError::NotFound => nobody("id"),
        failed @ FindUserError::Failed(_) => failed.into(),
    })?;
    if user.id != caller.user_id {
        return Err(Problem::new(
            Kind::Forbidden,
            "Nobody can change another user's password.",
        ));
    }
    accounts.replace_password(caller, password.clone()).await?;
    Ok(respond::json(StatusCode::OK, &password.expose()))
}

/// Somebody is named who is not there.
pub(super) fn nobody(field: &'static str) -> Problem {
    Problem::new(Kind::Invalid, "There is no such user.").on(field, FieldCode::NotFound, "no such user")
}

/// A form with a picture.
#[derive(ToSchema)]
#[expect(dead_code, reason = "for the document alone: it is read part by part")]
pub(crate) struct ImageForm {
    /// PNG, JPEG, GIF or WebP, told from its bytes.
    #[schema(value_type = String, content_media_type = "application/octet-stream")]
    image: Vec<u8>,
}

/// A picture that was uploaded.
#[derive(Serialize, ToSchema)]
pub(crate) struct Uploaded<'a> {
    image: Image<'a>,
}

/// What it is called, and where it is.
#[derive(Serialize, ToSchema)]
pub(crate) struct Image<'a> {
    file_name: &'a str,
    /// For whoever knows it, with no token.
    #[schema(examples("/uploads/KEY/portrait.png"))]
    url: String,
}

/// Upload one's picture
///
/// It takes the place of the one before.
#[utoipa::path(
    post,
    path = "/api/users/upload",
    tag = "users",
    operation_id = "upload_image",
    request_body(content = ImageForm, content_type = "multipart/form-data"),
    responses((status = 200, description = "The picture", body = Uploaded))
)]
pub(crate) async fn upload(
    state: State,
    Authenticated(caller, _): Authenticated<AccountFile>,
    mut parts: Parts,
) -> Result<HttpResponse, Problem> {
    let file = parts.upload_public("image", &state.services.files, caller).await?;
    state.services.accounts.set_avatar(caller, Some(&file)).await?;
    let url = uploads::address(&file);
    let image = Image {
        file_name: file.name.as_str(),
        url,
    };
    Ok(respond::json(StatusCode::OK, &Uploaded { image }))
}
