use super::{AccessError, ChatService};
use crate::Failure;
use tertulia_domain::permission::Action;
use tertulia_domain::{Caller, ChatId, ChatView, File};
use thiserror::Error;

/// Why a group's avatar was not changed.
#[derive(Debug, Error)]
pub enum SetChatAvatarError {
    /// The caller may not.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// Only PNG, JPEG, GIF and WebP are.
    #[error("an avatar must be a PNG, JPEG, GIF or WebP image")]
    NotAnImage,
}

impl ChatService {
    /// Whether the caller may change a group's avatar: asked before its bytes are taken.
    pub async fn may_set_avatar(&self, caller: Caller, id: ChatId) -> Result<(), AccessError> {
        self.permit(caller, id, Action::Rename).await.map(|_| ())
    }

    /// Makes a file that the caller uploaded a group's avatar, and gives the chat as it is afterwards.
    pub async fn set_avatar(&self, caller: Caller, id: ChatId, file: &File) -> Result<ChatView, SetChatAvatarError> {
        self.may_set_avatar(caller, id).await?;
        if !file.is_image() {
            return Err(SetChatAvatarError::NotAnImage);
        }
        let at = self.clock.now();
        let set = self.chats.set_avatar(id, file.id, caller.user_id, at).await;
        if !set.map_err(|error| AccessError::from(Failure::from(error)))? {
            return Err(AccessError::ChatNotFound.into());
        }
        self.hub.changed(id, Vec::new());
        Ok(self.chat(caller, id).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ANA, CALLER, CHAT, FILE, NOW, World, assert_matches, direct, group, image, passes_on, repository_errors,
    };
    use mockall::predicate::eq;
    use tertulia_domain::MemberRole;

    fn setting(set: bool) -> World {
        let mut world = World::default();
        world.shows(group(MemberRole::Member));
        let asked = world.chats.expect_set_avatar();
        asked.with(eq(CHAT), eq(FILE), eq(ANA), eq(NOW)).once();
        asked.returning(move |_, _, _, _| Ok(set));
        world
    }

    async fn set(world: World, file: &File) -> Result<ChatView, SetChatAvatarError> {
        world.services().chats.set_avatar(CALLER, CHAT, file).await
    }

    #[tokio::test]
    async fn gives_the_chat_as_it_is_afterwards() {
        let mut world = setting(true);
        let mut changed = group(MemberRole::Member);
        changed.chat.avatar = Some(image());
        world.shows(changed.clone());
        assert_eq!(set(world, &image()).await.unwrap(), changed);
    }

    #[tokio::test]
    async fn who_may_not_changes_nothing() {
        for (view, expected) in [
            (group(None), AccessError::ChatNotFound),
            (direct(MemberRole::Member), AccessError::NotInDirectChats),
        ] {
            let mut world = World::default();
            world.shows(view.clone()).shows(view);
            world.chats.expect_set_avatar().never();
            let services = world.services();
            let refused = services.chats.may_set_avatar(CALLER, CHAT).await.unwrap_err();
            assert_eq!(refused.to_string(), expected.to_string());
            match services.chats.set_avatar(CALLER, CHAT, &image()).await {
                Err(SetChatAvatarError::Access(error)) => assert_eq!(error.to_string(), expected.to_string()),
                other => panic!("{other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn only_a_picture_is_one() {
        let mut world = World::default();
        world.shows(group(MemberRole::Owner));
        world.chats.expect_set_avatar().never();
        let text = File {
            dimensions: None,
            ..image()
        };
        assert_matches!(set(world, &text).await, Err(SetChatAvatarError::NotAnImage));
    }

    #[tokio::test]
    async fn a_chat_or_a_file_may_vanish_meanwhile() {
        let refused = set(setting(false), &image()).await;
        assert_matches!(refused, Err(SetChatAvatarError::Access(AccessError::ChatNotFound)));
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.shows(group(MemberRole::Owner));
            world.chats.expect_set_avatar().return_once(|_, _, _, _| Err(cause));
            set(world, &image()).await
        })
        .await;
    }
}
