//! The contract's own words. Clients compare some of them: they are not to be changed.

use crate::problem::Problem;

pub(super) const NO_TOKEN: &str = "Token de autenticación no proporcionado";
pub(super) const BAD_TOKEN: &str = "Token inválido o expirado";

pub(super) const USER_NOT_FOUND: &str = "Usuario no encontrado";
pub(super) const EMAIL_TAKEN: &str = "El correo ya está registrado";
pub(super) const FIELDS_MISSING: &str = "Faltan campos requeridos";

pub(super) const CHAT_NOT_FOUND: &str = "Chat no encontrado";
pub(super) const NO_PARTICIPANTS: &str = "El campo 'participants' es requerido y debe ser un array";
pub(super) const TOO_FEW: &str = "Un chat debe tener al menos 2 participantes";
pub(super) const TOO_MANY: &str = "Un chat puede tener como máximo 1000 participantes";
pub(super) const UNKNOWN_PARTICIPANT: &str = "Uno o más participantes no existen";
pub(super) const NOT_AMONG: &str = "Debes ser uno de los participantes del chat";
pub(super) const SENDER_NOT_AMONG: &str = "El campo 'lastMessage.sender' debe ser un participante del chat";
pub(super) const SET_TAKEN: &str = "Ya existe un chat con esos participantes";
pub(super) const BLOCKED: &str = "Uno de los dos usuarios ha bloqueado al otro";
pub(super) const NOTHING_TO_CHANGE: &str = "Se requiere 'participants' o 'lastMessage'";
pub(super) const NO_LAST_MESSAGE: &str = "El campo 'lastMessage' es requerido";

pub(super) const MESSAGE_FIELDS_MISSING: &str = "Faltan campos requeridos (chatId, content, receiverId)";
pub(super) const NOT_IN_CHAT: &str = "El remitente o el destinatario no pertenecen a este chat";
pub(super) const MESSAGES_HIDDEN: &str = "No tienes permiso para ver los mensajes de este chat";

/// A use case's error in these words, or in those of its kind.
pub(super) fn worded(error: impl Into<Problem>, words: Option<&'static str>) -> Problem {
    match words {
        Some(words) => error.into().worded(words),
        None => error.into(),
    }
}
