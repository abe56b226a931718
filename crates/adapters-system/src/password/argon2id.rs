//! Argon2 over memory that is used again and again.

use crate::ids::random;
use argon2::password_hash::phc::{self, Ident, Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version, password_hash};
use thiserror::Error;

/// What new hashes are made with: OWASP's minimum for Argon2id.
const OWN: Params = match Params::new(19 * 1024, 2, 1, None) {
    Ok(params) => params,
    Err(_) => panic!("within the limits of Argon2"),
};

/// Nobody's password: a hash of the same cost as a new one, whose output no password is known to have.
pub(super) const DUMMY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$dGVydHVsaWEtZHVtbXktIQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Bytes of a salt: what RFC 9106, section 3.1, recommends for passwords.
const SALT_BYTES: usize = 16;

/// The dearest stored hash that is verified: 256 MiB, 32 passes, 16 lanes. Beyond that, a row that somebody has tampered
/// with could stop the process.
const MOST: (u32, u32, u32) = (256 * 1024, 32, 16);

/// Why a password was neither hashed nor compared.
#[derive(Debug, Error)]
pub(super) enum Argon2Error {
    /// The stored text is no PHC string with salt and hash.
    #[error("malformed password hash")]
    Malformed(#[source] phc::Error),
    /// The stored hash is not one of Argon2.
    #[error("unknown kind of password hash")]
    Unknown(#[source] password_hash::Error),
    /// The stored hash asks for more than is sensible.
    #[error("the parameters of the password hash are beyond what is verified")]
    TooDear,
    /// The computation was refused.
    #[error("Argon2 failed")]
    Failed(#[source] argon2::Error),
}

/// A thread's working memory: what a new hash needs, allocated on first use and kept.
#[derive(Default)]
pub(super) struct Memory(Vec<Block>);

impl Memory {
    /// Lends so many blocks of 1 KiB. They hold whatever the last hash left, which Argon2 writes over before it reads.
    fn lend<T>(&mut self, count: usize, work: impl FnOnce(&mut [Block]) -> T) -> T {
        if self.0.is_empty() {
            self.0 = vec![Block::new(); OWN.block_count()];
        }
        match self.0.get_mut(..count) {
            Some(blocks) => work(blocks),
            None => work(&mut vec![Block::new(); count]),
        }
    }
}

/// Hashes with a fresh salt; gives the PHC string.
pub(super) fn hash(memory: &mut Memory, password: &str) -> Result<String, Argon2Error> {
    let salt = random::<SALT_BYTES>();
    let hash = PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&OWN).map_err(Argon2Error::Unknown)?,
        salt: Some(Salt::new(&salt).map_err(Argon2Error::Malformed)?),
        hash: Some(compute(
            memory,
            Algorithm::Argon2id,
            Version::V0x13,
            OWN,
            password,
            &salt,
        )?),
    };
    Ok(hash.to_string())
}

/// Whether the password is the one that was hashed, with the parameters that the PHC string names.
pub(super) fn verify(memory: &mut Memory, password: &str, phc: &str) -> Result<bool, Argon2Error> {
    let stored = PasswordHash::new(phc).map_err(Argon2Error::Malformed)?;
    let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else {
        return Err(Argon2Error::Malformed(phc::Error::MissingField));
    };
    let algorithm = algorithm(stored.algorithm)?;
    // The reference implementation wrote no version before there was a second one.
    let version = stored
        .version
        .map_or(Ok(Version::V0x10), Version::try_from)
        .map_err(|error| Argon2Error::Unknown(error.into()))?;
    let params = Params::try_from(&stored).map_err(Argon2Error::Unknown)?;
    let (most_memory, most_passes, most_lanes) = MOST;
    if params.m_cost() > most_memory || params.t_cost() > most_passes || params.p_cost() > most_lanes {
        return Err(Argon2Error::TooDear);
    }
    // `Output` compares in constant time.
    Ok(compute(memory, algorithm, version, params, password, salt)? == *expected)
}

fn algorithm(name: Ident) -> Result<Algorithm, Argon2Error> {
    Algorithm::try_from(name.as_str()).map_err(Argon2Error::Unknown)
}

fn compute(
    memory: &mut Memory,
    algorithm: Algorithm,
    version: Version,
    params: Params,
    password: &str,
    salt: &[u8],
) -> Result<Output, Argon2Error> {
    let mut buffer = [0; Output::MAX_LENGTH];
    let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    let output = buffer
        .get_mut(..length)
        .ok_or(Argon2Error::Failed(argon2::Error::OutputTooLong))?;
    let blocks = params.block_count();
    let argon2 = Argon2::new(algorithm, version, params);
    memory
        .lend(blocks, |blocks| {
            argon2.hash_password_into_with_memory(password.as_bytes(), salt, output, blocks)
        })
        .map_err(Argon2Error::Failed)?;
    Output::new(output).map_err(Argon2Error::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_hash_names_owasps_parameters() {
        let hash = hash(&mut Memory::default(), "correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify(&mut Memory::default(), "correct horse", &hash).unwrap());
    }

    #[test]
    fn the_dummy_costs_what_a_new_hash_costs() {
        let dummy = PasswordHash::new(DUMMY).unwrap();
        assert_eq!(dummy.params, ParamsString::try_from(&OWN).unwrap());
        assert_eq!(dummy.salt.unwrap().len(), SALT_BYTES);
        assert_eq!(dummy.hash.unwrap().len(), Params::DEFAULT_OUTPUT_LEN);
        assert!(!verify(&mut Memory::default(), "correct horse", DUMMY).unwrap());
    }

    #[test]
    fn other_implementations_hashes_are_verified() {
        // From the tests of the reference implementation: https://github.com/P-H-C/phc-winner-argon2, src/test.c.
        let mut memory = Memory::default();
        for phc in [
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
            "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8",
            "$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY",
        ] {
            assert!(verify(&mut memory, "password", phc).unwrap(), "{phc}");
            assert!(!verify(&mut memory, "passwore", phc).unwrap(), "{phc}");
        }
    }

    #[test]
    fn memory_that_was_used_changes_nothing() {
        let mut used = Memory::default();
        let first = hash(&mut used, "correct horse").unwrap();
        assert!(!verify(&mut used, "something else", &first).unwrap());
        assert!(verify(&mut used, "correct horse", &first).unwrap());
        assert!(verify(&mut Memory::default(), "correct horse", &first).unwrap());
        assert_eq!(used.0.len(), OWN.block_count());
    }

    #[test]
    fn more_memory_than_ours_is_lent_and_given_back() {
        let dearer = Params::new(20 * 1024, 1, 1, None).unwrap();
        let salt = Salt::new(b"somesalt").unwrap();
        let mut memory = Memory::default();
        let output = compute(
            &mut memory,
            Algorithm::Argon2id,
            Version::V0x13,
            dearer,
            "correct horse",
            &salt,
        )
        .unwrap();
        let phc = format!("$argon2id$v=19$m=20480,t=1,p=1${salt}${output}");
        assert!(verify(&mut memory, "correct horse", &phc).unwrap());
        assert_eq!(memory.0.len(), OWN.block_count());
    }

    #[test]
    fn absurd_parameters_are_refused_before_they_cost_anything() {
        for params in ["m=4194304,t=2,p=1", "m=19456,t=4000000000,p=1", "m=19456,t=2,p=100"] {
            let phc = format!("$argon2id$v=19${params}$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4");
            let outcome = verify(&mut Memory::default(), "password", &phc);
            assert!(matches!(outcome, Err(Argon2Error::TooDear)), "{outcome:?}");
        }
    }
}
