//! What each error of a use case is to a client.

use super::{FieldCode, Kind, Problem};
use tertulia_application::Failure;
use tertulia_application::account::{
    AuthenticateError, ChangePasswordError, CreateApiKeyError, DeleteAccountError, EndSessionError, FindUserError,
    LogInError, RefreshError, RegisterError, RequestVerificationError, ResetPasswordError, RevokeApiKeyError,
    SetAvatarError, UpdateProfileError, VerifyEmailError,
};
use tertulia_application::chats::{
    AccessError, AddMemberError, ChangeRoleError, CreateByMembersError, CreateDirectError, CreateGroupError,
    ListChatsError, RemoveMemberError, ReplaceMembersError, SetChatAvatarError, SetNoteError,
};
use tertulia_application::files::{ReadFileError, UploadError};
use tertulia_application::messaging::{
    DeleteMessageError, EditMessageError, ListMessagesError, SendMessageError, ViewMessageError,
};
use tertulia_application::moderation::{
    AdminError, BlockUserError, ReportMessageError, ResolveReportError, SuspendError,
};
use tertulia_application::realtime::ConnectError;

/// One row a variant: the kind of failure, and the fields of the request that are at fault. The variant that is `holding`
/// another error goes by that error's row.
macro_rules! table {
    ($($error:ident, holding $inner:ident {
        $($variant:ident => $kind:ident $($code:ident [$($field:literal),+])?;)*
    })*) => {$(
        impl From<$error> for Problem {
            fn from(error: $error) -> Self {
                match error {
                    $($error::$variant { .. } => {
                        let text = error.to_string();
                        Self::new(Kind::$kind, text.clone())
                            $($(.on($field, FieldCode::$code, text.clone()))+)?
                    })*
                    $error::$inner(inner) => inner.into(),
                }
            }
        }
    )*};
}

table! {
    AuthenticateError, holding Failed {
        Invalid => Unauthenticated;
        Expired => TokenExpired;
        Ended => Unauthenticated;
    }
    RegisterError, holding Failed {
        NoLogin => Invalid Required ["username", "email"];
        UsernameTaken => UsernameTaken Taken ["username"];
        EmailTaken => EmailTaken Taken ["email"];
    }
    RefreshError, holding Failed {
        Invalid => InvalidCredentials;
        Reused => InvalidCredentials;
    }
    EndSessionError, holding Failed {
        NotFound => NotFound;
    }
    ChangePasswordError, holding Failed {
        WrongPassword => WrongPassword Invalid ["current_password"];
        NotFound => NotFound;
    }
    UpdateProfileError, holding Failed {
        UsernameTaken => UsernameTaken Taken ["username"];
        EmailTaken => EmailTaken Taken ["email"];
        NoLogin => Invalid Required ["username", "email"];
        NotFound => NotFound;
    }
    ResetPasswordError, holding Failed {
        InvalidToken => InvalidCredentials;
    }
    VerifyEmailError, holding Failed {
        InvalidToken => InvalidCredentials;
        EmailTaken => EmailTaken;
    }
    RequestVerificationError, holding Failed {
        NoEmail => Conflict;
        AlreadyVerified => Conflict;
        NotFound => NotFound;
    }
    CreateApiKeyError, holding Failed {
        ExpiresInThePast => Invalid Invalid ["expires_at"];
        TooMany => Conflict;
    }
    RevokeApiKeyError, holding Failed {
        NotFound => NotFound;
    }
    SetAvatarError, holding Failed {
        NotAnImage => UnsupportedMediaType Invalid ["file"];
        NotFound => NotFound;
    }
    DeleteAccountError, holding Failed {
        NotFound => NotFound;
    }
    FindUserError, holding Failed {
        NotFound => NotFound;
    }
    AccessError, holding Failed {
        ChatNotFound => NotFound;
        Forbidden => Forbidden;
        NotInDirectChats => Invalid;
    }
    ListChatsError, holding Failed {
        SessionEnded => Unauthenticated;
    }
    CreateDirectError, holding Failed {
        Oneself => Invalid Invalid ["user_id"];
        UserNotFound => NotFound NotFound ["user_id"];
        Blocked => Forbidden;
        KeyReused => Invalid Invalid ["Idempotency-Key"];
    }
    CreateGroupError, holding Failed {
        TooManyMembers => Invalid Invalid ["user_ids"];
        UserNotFound => NotFound NotFound ["user_ids"];
        KeyReused => Invalid Invalid ["Idempotency-Key"];
    }
    AddMemberError, holding Access {
        SecondOwner => Invalid Invalid ["role"];
        UserNotFound => NotFound NotFound ["user_id"];
        Full => Conflict;
        KeyReused => Invalid Invalid ["Idempotency-Key"];
    }
    ChangeRoleError, holding Access {
        MemberNotFound => NotFound;
        OwnerStepsDown => Conflict;
    }
    RemoveMemberError, holding Access {
        MemberNotFound => NotFound;
    }
    SetChatAvatarError, holding Access {
        NotAnImage => UnsupportedMediaType Invalid ["file"];
    }
    CreateByMembersError, holding Failed {
        TooFew => Invalid;
        TooMany => Invalid;
        UserNotFound => NotFound;
        NotAmong => Forbidden;
        SenderNotAmong => Invalid;
        Blocked => Forbidden;
    }
    ReplaceMembersError, holding Access {
        TooFew => Invalid;
        TooMany => Invalid;
        UserNotFound => NotFound;
        SenderNotAmong => Invalid;
        SetTaken => Conflict;
        Blocked => Forbidden;
    }
    SetNoteError, holding Access {
        SenderNotAmong => Invalid;
    }
    SendMessageError, holding Failed {
        SessionEnded => Unauthenticated;
        ChatNotFound => NotFound;
        ReplyNotFound => NotFound NotFound ["reply_to"];
        AddresseeNotFound => NotFound;
        AttachmentNotFound => NotFound NotFound ["attachments"];
        Blocked => Forbidden;
        KeyReused => Invalid Invalid ["Idempotency-Key"];
    }
    ListMessagesError, holding Failed {
        SessionEnded => Unauthenticated;
        ChatNotFound => NotFound;
    }
    ViewMessageError, holding Failed {
        NotFound => NotFound;
    }
    EditMessageError, holding Failed {
        NotFound => NotFound;
        Forbidden => Forbidden;
        Deleted => Conflict;
    }
    DeleteMessageError, holding Failed {
        NotFound => NotFound;
        Forbidden => Forbidden;
    }
    ConnectError, holding Failed {
        TooMany => RateLimited;
    }
    UploadError, holding Failed {
        Empty => Invalid Invalid ["file"];
        TooLarge => PayloadTooLarge;
        TooManyPixels => Invalid Invalid ["file"];
        KeyReused => Invalid Invalid ["Idempotency-Key"];
        OwnerGone => Unauthenticated;
    }
    ReadFileError, holding Failed {
        NotFound => NotFound;
    }
    BlockUserError, holding Failed {
        Oneself => Invalid;
        UserNotFound => NotFound;
        TooMany => Conflict;
    }
    ReportMessageError, holding Failed {
        NotFound => NotFound;
        KeyReused => Invalid Invalid ["Idempotency-Key"];
        Own => Invalid;
    }
    AdminError, holding Failed {
        Forbidden => Forbidden;
    }
    ResolveReportError, holding Admin {
        NotFound => NotFound;
    }
    SuspendError, holding Admin {
        Oneself => Invalid;
        NotFound => NotFound;
    }
}

/// Not in the table, since one of its variants says how long to wait.
impl From<LogInError> for Problem {
    fn from(error: LogInError) -> Self {
        let text = error.to_string();
        match error {
            LogInError::InvalidCredentials => Self::new(Kind::InvalidCredentials, text),
            LogInError::Suspended => Self::new(Kind::Forbidden, text),
            LogInError::Throttled { retry_after } => Self::rate_limited(text, retry_after),
            LogInError::Failed(failure) => failure.into(),
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Overloaded => Self::new(Kind::Overloaded, "Too much is asked at once; try again in a moment."),
            Failure::Unavailable(cause) => Self::new(
                Kind::Unavailable,
                "Something we depend on can't be reached; try again later.",
            )
            .because(cause),
            Failure::Internal(cause) => Self::internal(cause),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Kind::{
        Conflict, EmailTaken, Forbidden, Internal, Invalid, InvalidCredentials, NotFound, Overloaded, PayloadTooLarge,
        RateLimited, TokenExpired, Unauthenticated, Unavailable, UnsupportedMediaType, UsernameTaken, WrongPassword,
    };
    use std::time::Duration;
    use tertulia_domain::UserId;
    use uuid::Uuid;

    /// That every variant has a row is the compiler's to check; here stands what is in them.
    #[track_caller]
    fn is(error: impl Into<Problem>, kind: Kind, fields: &[(&str, FieldCode)]) {
        let problem = error.into();
        assert_eq!(problem.kind(), kind, "{problem}");
        let errors = problem.errors().iter();
        let found: Vec<_> = errors.map(|error| (error.field.as_ref(), error.code)).collect();
        assert_eq!(found, fields, "{problem}");
    }

    #[test]
    fn accounts() {
        let both = [("username", FieldCode::Required), ("email", FieldCode::Required)];
        is(AuthenticateError::Invalid, Unauthenticated, &[]);
        is(AuthenticateError::Ended, Unauthenticated, &[]);
        is(AuthenticateError::Expired, TokenExpired, &[]);
        is(RegisterError::NoLogin, Invalid, &both);
        is(
            RegisterError::UsernameTaken,
            UsernameTaken,
            &[("username", FieldCode::Taken)],
        );
        is(RegisterError::EmailTaken, EmailTaken, &[("email", FieldCode::Taken)]);
        is(LogInError::InvalidCredentials, InvalidCredentials, &[]);
        is(LogInError::Suspended, Forbidden, &[]);
        let retry_after = Duration::from_secs(2);
        is(LogInError::Throttled { retry_after }, RateLimited, &[]);
        is(ResetPasswordError::InvalidToken, InvalidCredentials, &[]);
        is(VerifyEmailError::InvalidToken, InvalidCredentials, &[]);
        is(VerifyEmailError::EmailTaken, EmailTaken, &[]);
        is(RequestVerificationError::NoEmail, Conflict, &[]);
        is(RequestVerificationError::AlreadyVerified, Conflict, &[]);
        is(RequestVerificationError::NotFound, NotFound, &[]);
        let expires_at = [("expires_at", FieldCode::Invalid)];
        is(CreateApiKeyError::ExpiresInThePast, Invalid, &expires_at);
        is(CreateApiKeyError::TooMany, Conflict, &[]);
        is(RevokeApiKeyError::NotFound, NotFound, &[]);
        let file = [("file", FieldCode::Invalid)];
        is(SetAvatarError::NotAnImage, UnsupportedMediaType, &file);
        is(SetAvatarError::NotFound, NotFound, &[]);
        is(RefreshError::Invalid, InvalidCredentials, &[]);
        is(RefreshError::Reused, InvalidCredentials, &[]);
        is(EndSessionError::NotFound, NotFound, &[]);
        let current = [("current_password", FieldCode::Invalid)];
        is(ChangePasswordError::WrongPassword, WrongPassword, &current);
        is(ChangePasswordError::NotFound, NotFound, &[]);
        is(
            UpdateProfileError::UsernameTaken,
            UsernameTaken,
            &[("username", FieldCode::Taken)],
        );
        is(
            UpdateProfileError::EmailTaken,
            EmailTaken,
            &[("email", FieldCode::Taken)],
        );
        is(UpdateProfileError::NoLogin, Invalid, &both);
        is(UpdateProfileError::NotFound, NotFound, &[]);
        is(DeleteAccountError::NotFound, NotFound, &[]);
        is(FindUserError::NotFound, NotFound, &[]);
    }

    #[test]
    fn chats() {
        let key = [("Idempotency-Key", FieldCode::Invalid)];
        let somebody = UserId::from_uuid(Uuid::from_u128(7));
        is(AccessError::ChatNotFound, NotFound, &[]);
        is(AccessError::Forbidden, Forbidden, &[]);
        is(AccessError::NotInDirectChats, Invalid, &[]);
        is(ListChatsError::SessionEnded, Unauthenticated, &[]);
        is(CreateDirectError::Oneself, Invalid, &[("user_id", FieldCode::Invalid)]);
        is(
            CreateDirectError::UserNotFound,
            NotFound,
            &[("user_id", FieldCode::NotFound)],
        );
        is(CreateDirectError::Blocked, Forbidden, &[]);
        is(CreateDirectError::KeyReused, Invalid, &key);
        is(
            CreateGroupError::TooManyMembers,
            Invalid,
            &[("user_ids", FieldCode::Invalid)],
        );
        is(
            CreateGroupError::UserNotFound(somebody),
            NotFound,
            &[("user_ids", FieldCode::NotFound)],
        );
        is(CreateGroupError::KeyReused, Invalid, &key);
        is(AddMemberError::Access(AccessError::Forbidden), Forbidden, &[]);
        is(AddMemberError::SecondOwner, Invalid, &[("role", FieldCode::Invalid)]);
        is(
            AddMemberError::UserNotFound,
            NotFound,
            &[("user_id", FieldCode::NotFound)],
        );
        is(AddMemberError::Full, Conflict, &[]);
        is(AddMemberError::KeyReused, Invalid, &key);
        is(ChangeRoleError::MemberNotFound, NotFound, &[]);
        is(ChangeRoleError::OwnerStepsDown, Conflict, &[]);
        is(ChangeRoleError::Access(AccessError::ChatNotFound), NotFound, &[]);
        is(RemoveMemberError::MemberNotFound, NotFound, &[]);
        is(RemoveMemberError::Access(AccessError::Forbidden), Forbidden, &[]);
        let file = [("file", FieldCode::Invalid)];
        is(SetChatAvatarError::NotAnImage, UnsupportedMediaType, &file);
        is(SetChatAvatarError::Access(AccessError::Forbidden), Forbidden, &[]);
    }

    #[test]
    fn messages() {
        is(SendMessageError::SessionEnded, Unauthenticated, &[]);
        is(SendMessageError::ChatNotFound, NotFound, &[]);
        is(
            SendMessageError::ReplyNotFound,
            NotFound,
            &[("reply_to", FieldCode::NotFound)],
        );
        is(
            SendMessageError::KeyReused,
            Invalid,
            &[("Idempotency-Key", FieldCode::Invalid)],
        );
        is(ListMessagesError::SessionEnded, Unauthenticated, &[]);
        is(ListMessagesError::ChatNotFound, NotFound, &[]);
        is(ViewMessageError::NotFound, NotFound, &[]);
        is(EditMessageError::NotFound, NotFound, &[]);
        is(EditMessageError::Forbidden, Forbidden, &[]);
        is(EditMessageError::Deleted, Conflict, &[]);
        is(DeleteMessageError::NotFound, NotFound, &[]);
        is(DeleteMessageError::Forbidden, Forbidden, &[]);
    }

    #[test]
    fn files() {
        let file = [("file", FieldCode::Invalid)];
        is(UploadError::Empty, Invalid, &file);
        is(UploadError::TooLarge { max: 1 }, PayloadTooLarge, &[]);
        is(UploadError::TooManyPixels { max: 1 }, Invalid, &file);
        is(
            UploadError::KeyReused,
            Invalid,
            &[("Idempotency-Key", FieldCode::Invalid)],
        );
        is(UploadError::OwnerGone, Unauthenticated, &[]);
        is(ReadFileError::NotFound, NotFound, &[]);
    }

    #[test]
    fn moderation() {
        is(BlockUserError::Oneself, Invalid, &[]);
        is(BlockUserError::UserNotFound, NotFound, &[]);
        is(BlockUserError::TooMany, Conflict, &[]);
        is(ReportMessageError::NotFound, NotFound, &[]);
        is(
            ReportMessageError::KeyReused,
            Invalid,
            &[("Idempotency-Key", FieldCode::Invalid)],
        );
        is(ReportMessageError::Own, Invalid, &[]);
        is(AdminError::Forbidden, Forbidden, &[]);
        is(ResolveReportError::NotFound, NotFound, &[]);
        is(ResolveReportError::Admin(AdminError::Forbidden), Forbidden, &[]);
        is(SuspendError::Oneself, Invalid, &[]);
        is(SuspendError::NotFound, NotFound, &[]);
        is(SuspendError::Admin(AdminError::Forbidden), Forbidden, &[]);
    }

    #[test]
    fn failures() {
        is(Failure::Overloaded, Overloaded, &[]);
        is(Failure::Unavailable("x".into()), Unavailable, &[]);
        is(Failure::Internal("x".into()), Internal, &[]);
        is(SendMessageError::Failed(Failure::Overloaded), Overloaded, &[]);
        is(
            AddMemberError::Access(AccessError::Failed(Failure::Overloaded)),
            Overloaded,
            &[],
        );
    }
}
