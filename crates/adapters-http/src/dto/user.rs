use super::{Id, Sight, Time, file};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
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
    avatar_url: Option<String>,
    /// Whether the user made a request in the last 60 seconds. False where one of the two blocks the other or
    /// they share no chat.
    online: bool,
    /// When the user last made a request. Null where one of the two blocks the other or they share no chat.
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
    /// Whether somebody is known to read that mailbox.
    email_verified: bool,
    /// An address that becomes the user's when they use the token that was mailed there; only right after it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pending_email: Option<&'a str>,
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
    /// Files that were deleted.
    files: u64,
}

impl<'a> User<'a> {
    pub(crate) fn new(user: &'a domain::User, sight: &Sight) -> Self {
        let (online, last_seen_at) = sight.look(user);
        Self {
            online,
            last_seen_at: last_seen_at.map(Time::from),
            ..Self::absent(user)
        }
    }

    /// As everybody may see them, whoever that is: without whether they are there.
    pub(crate) fn absent(user: &'a domain::User) -> Self {
        Self {
            id: user.id.into(),
            number: user.number,
            username: user.username.as_ref().map(domain::Username::as_str),
            display_name: user.display_name.as_ref().map(domain::DisplayName::as_str),
            avatar_url: user.avatar.as_ref().map(file::url),
            online: false,
            last_seen_at: None,
            created_at: user.created_at.into(),
        }
    }

    /// As somebody who sees nothing of when the user is there.
    pub(super) fn without_presence(self) -> Self {
        Self {
            online: false,
            last_seen_at: None,
            ..self
        }
    }
}

impl<'a> OwnUser<'a> {
    pub(crate) fn new(user: &'a domain::User, sight: &Sight) -> Self {
        Self {
            user: User::new(user, sight),
            email: user.email.as_ref().map(domain::Email::as_str),
            email_verified: user.email_verified,
            pending_email: None,
            role: match user.role {
                domain::Role::User => Role::User,
                domain::Role::Admin => Role::Admin,
            },
            profile: Profile(&user.profile),
        }
    }

    /// With the address that may become theirs.
    pub(crate) fn awaiting(self, pending_email: Option<&'a domain::Email>) -> Self {
        Self {
            pending_email: pending_email.map(domain::Email::as_str),
            ..self
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
            files: erased.files,
        }
    }
}
