//! Who may do what in a chat: one pure function over facts that were loaded before.

use crate::membership::MemberRole;
use crate::user::Role;

/// What is known about somebody who wants to act in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Their role in the whole service.
    pub role: Role,
    /// Their role in the chat; `None` for somebody who is not in it.
    pub member: Option<MemberRole>,
    /// Whether the chat is a group.
    pub group: bool,
}

/// What somebody wants to do in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// See the chat, its members and its messages; move one's own read position.
    View,
    /// Send a message.
    Send,
    /// Change the body of a message.
    EditMessage {
        /// Whether they sent it themselves.
        own: bool,
    },
    /// Delete a message.
    DeleteMessage {
        /// Whether they sent it themselves.
        own: bool,
    },
    /// Change the title or the avatar: any member may.
    Rename,
    /// Delete the chat with everything in it.
    DeleteChat,
    /// Add a user.
    AddMember {
        /// The role that the user is to have.
        role: MemberRole,
    },
    /// Change a member's role.
    ChangeRole,
    /// Remove a member who is not oneself.
    RemoveMember {
        /// The role of the one to be removed.
        role: MemberRole,
    },
    /// Replace all members at once.
    ReplaceMembers {
        /// Whether the owner is to stay in.
        keeps_owner: bool,
    },
    /// Leave.
    Leave,
}

/// Why somebody may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// They are not in the chat: to them it does not exist.
    Hidden,
    /// They are in the chat, but this takes more than they have.
    Forbidden,
    /// Nobody can do this in a direct chat: it has no title, and always the same two members.
    NotInDirectChats,
}

/// Decides.
///
/// A service admin may do in every chat what its owner may, without being in it, except for two acts that belong to one
/// person: editing somebody else's message and leaving.
pub fn decide(standing: Standing, action: Action) -> Result<(), Denial> {
    let service_admin = standing.role == Role::Admin;
    if standing.member.is_none() && (!service_admin || action == Action::Leave) {
        return Err(Denial::Hidden);
    }
    let only_in_groups = matches!(
        action,
        Action::Rename | Action::AddMember { .. } | Action::ChangeRole | Action::RemoveMember { .. } | Action::Leave
    );
    if only_in_groups && !standing.group {
        return Err(Denial::NotInDirectChats);
    }
    let at_least = |least: MemberRole| service_admin || standing.member >= Some(least);
    let allowed = match action {
        Action::View | Action::Send | Action::Rename | Action::Leave => true,
        Action::EditMessage { own } => own,
        Action::DeleteMessage { own } => own || at_least(MemberRole::Admin),
        // Nobody comes in as a second owner, and nobody throws the owner out.
        Action::AddMember {
            role: MemberRole::Owner,
        }
        | Action::RemoveMember {
            role: MemberRole::Owner,
        } => false,
        Action::AddMember {
            role: MemberRole::Member,
        }
        | Action::RemoveMember { .. } => at_least(MemberRole::Admin),
        Action::AddMember {
            role: MemberRole::Admin,
        }
        | Action::ChangeRole => at_least(MemberRole::Owner),
        // Either party of a direct chat decides alone who talks there; nobody but themselves takes the owner out.
        Action::ReplaceMembers { keeps_owner } => {
            !standing.group
                || (at_least(MemberRole::Admin) && (keeps_owner || standing.member == Some(MemberRole::Owner)))
        }
        // Neither party of a direct chat is its owner; either may end it.
        Action::DeleteChat => !standing.group || at_least(MemberRole::Owner),
    };
    if allowed { Ok(()) } else { Err(Denial::Forbidden) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Denial::{Forbidden, Hidden, NotInDirectChats};
    use MemberRole::{Admin, Member, Owner};
    use proptest::prelude::*;

    const ACTIONS: [Action; 17] = [
        Action::View,
        Action::Send,
        Action::EditMessage { own: true },
        Action::EditMessage { own: false },
        Action::DeleteMessage { own: true },
        Action::DeleteMessage { own: false },
        Action::Rename,
        Action::DeleteChat,
        Action::AddMember { role: Member },
        Action::AddMember { role: Admin },
        Action::AddMember { role: Owner },
        Action::ChangeRole,
        Action::RemoveMember { role: Member },
        Action::RemoveMember { role: Owner },
        Action::ReplaceMembers { keeps_owner: true },
        Action::ReplaceMembers { keeps_owner: false },
        Action::Leave,
    ];

    fn row(role: Role, member: Option<MemberRole>, group: bool) -> Vec<Result<(), Denial>> {
        ACTIONS
            .iter()
            .map(|action| decide(Standing { role, member, group }, *action))
            .collect()
    }

    #[test]
    fn the_whole_table() {
        let (y, n, d) = (Ok(()), Err(Forbidden), Err(NotInDirectChats));
        // In the order of ACTIONS:            view send edit+ edit- del+ del- rename delete add adda addo role rem remo repl repl- leave
        assert_eq!(
            row(Role::User, Some(Member), true),
            [y, y, y, n, y, n, y, n, n, n, n, n, n, n, n, n, y]
        );
        assert_eq!(
            row(Role::User, Some(Admin), true),
            [y, y, y, n, y, y, y, n, y, n, n, n, y, n, y, n, y]
        );
        assert_eq!(
            row(Role::User, Some(Owner), true),
            [y, y, y, n, y, y, y, y, y, y, n, y, y, n, y, y, y]
        );
        assert_eq!(
            row(Role::Admin, Some(Member), true),
            [y, y, y, n, y, y, y, y, y, y, n, y, y, n, y, n, y]
        );
        assert_eq!(
            row(Role::User, Some(Member), false),
            [y, y, y, n, y, n, d, y, d, d, d, d, d, d, y, y, d]
        );
        assert_eq!(row(Role::User, None, true), [Err(Hidden); 17]);
        assert_eq!(row(Role::User, None, false), [Err(Hidden); 17]);
        let outside = row(Role::Admin, None, true);
        assert_eq!(outside[..15], row(Role::User, Some(Owner), true)[..15]);
        assert_eq!(outside[15..], [n, Err(Hidden)]);
    }

    fn any_member() -> impl Strategy<Value = Option<MemberRole>> {
        prop::option::of(prop::sample::select(vec![Member, Admin, Owner]))
    }

    proptest! {
        #[test]
        fn more_power_never_allows_less(member in any_member(), group: bool, action in prop::sample::select(ACTIONS.to_vec())) {
            let decide = |role, member| decide(Standing { role, member, group }, action);
            if decide(Role::User, member).is_ok() {
                prop_assert!(decide(Role::Admin, member).is_ok());
                if member.is_some() {
                    prop_assert!(decide(Role::User, Some(Owner)).is_ok());
                }
            }
        }

        #[test]
        fn strangers_learn_nothing(group: bool, action in prop::sample::select(ACTIONS.to_vec())) {
            prop_assert_eq!(decide(Standing { role: Role::User, member: None, group }, action), Err(Hidden));
        }
    }
}
