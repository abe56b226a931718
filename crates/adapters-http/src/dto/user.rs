use super::{Id, Time};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use tertulia_application::realtime::Presence;
use tertulia_domain::{self as domain, ProfileValue, repository};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// A user as others see them.
#[derive(Serialize, ToSchema)]
pub(crate) struct User<'a> {
    id: Id,
    /// A second identifier, for clients that need an integer.
    number: i64,
    /// Null for a user without one, and for a deleted user.
    #[schema(required = true)]
    username: Option<&'a str>,
    /// Null for a user without one, and for a deleted user.
    #[schema(required = true)]
    display_name: Option<&'a str>,
    #[schema(required = true)]
    avatar_url: Option<&'a str>,
    /// Whether the user made a request in the last 60 seconds.
    online: bool,
    /// When the user last made a request.
    #[schema(required = true)]
    last_seen_at: Option<Time>,
    created_at: Time,
}

/// A user as they see themselves.
#[derive(Serialize, ToSchema)]
pub(crate) struct OwnUser<'a> {
    #[serde(flatten)]
    user: User<'a>,
    #[schema(required = true)]
    email: Option<&'a str>,
    role: Role,
    profile: Profile<'a>,
}

/// What a user may do in the whole service.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Role {
    User,
    Admin,
}

/// Small facts that clients keep with a user.
pub(crate) struct Profile<'a>(&'a domain::Profile);

/// What went with an account.
#[derive(Serialize, ToSchema)]
pub(crate) struct Erased {
    /// Sessions that ended.
    sessions: u64,
    /// Groups that the user was in and is no longer.
    groups_left: u64,
    /// Groups that nobody was left in, and that were deleted.
    groups_deleted: u64,
    /// Messages that were deleted.
    messages: u64,
}

impl<'a> User<'a> {
    pub(crate) fn new(user: &'a domain::User, presence: &Presence) -> Self {
        Self {
            id: user.id.into(),
            number: user.number,
            username: user.username.as_ref().map(domain::Username::as_str),
            display_name: user.display_name.as_ref().map(domain::DisplayName::as_str),
            avatar_url: None,
            online: presence.is_online(user),
            last_seen_at: presence.last_seen(user).map(Time::from),
            created_at: user.created_at.into(),
        }
    }
}

impl<'a> OwnUser<'a> {
    pub(crate) fn new(user: &'a domain::User, presence: &Presence) -> Self {
        Self {
            user: User::new(user, presence),
            email: user.email.as_ref().map(domain::Email::as_str),
            role: match user.role {
                domain::Role::User => Role::User,
                domain::Role::Admin => Role::Admin,
            },
            profile: Profile(&user.profile),
        }
    }
}

impl Serialize for Profile<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(None)?;
        for (name, value) in self.0.iter() {
            match value {
                ProfileValue::Text(text) => fields.serialize_entry(name, text)?,
                ProfileValue::Integer(number) => fields.serialize_entry(name, number)?,
                ProfileValue::Boolean(flag) => fields.serialize_entry(name, flag)?,
            }
        }
        fields.end()
    }
}

impl PartialSchema for Profile<'_> {
    fn schema() -> RefOr<Schema> {
        let value = OneOfBuilder::new()
            .item(ObjectBuilder::new().schema_type(Type::String))
            .item(ObjectBuilder::new().schema_type(Type::Integer))
            .item(ObjectBuilder::new().schema_type(Type::Boolean));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("Small facts that clients keep with a user."))
            .additional_properties(Some(AdditionalProperties::RefOr(value.into())))
            .max_properties(Some(domain::Profile::MAX_FIELDS))
            .into()
    }
}

impl ToSchema for Profile<'_> {}

impl From<repository::Erased> for Erased {
    fn from(erased: repository::Erased) -> Self {
        Self {
            sessions: erased.sessions,
            groups_left: erased.groups_left,
            groups_deleted: erased.groups_deleted,
            messages: erased.messages,
        }
    }
}
