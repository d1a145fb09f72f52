//! Who is at the other end: raw Ed25519 keys (RFC 7250) on both sides of TLS 1.3.
//!
//! There are no certificates, names or dates: a peer is its key. The verifier asks who may come in before a byte of ours
//! leaves beyond the handshake; a server shows its own key to whoever connects, a client shows its own only to a server
//! that it admits.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use quinn::crypto::rustls::{HandshakeData, QuicClientConfig, QuicServerConfig};
use ring::{hkdf, hmac};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{AlwaysResolvesClientRawPublicKeys, Resumption};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring as provider};
use rustls::pki_types::{
    CertificateDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime,
};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{
    AlwaysResolvesServerRawPublicKeys, ClientHello, NoServerSessionStorage, ResolvesServerCert,
};
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, PeerMisbehaved, SignatureScheme,
};

use super::Error;
use crate::node::NodeKey;

/// The protocol as TLS names it: whoever speaks another one is turned away in the handshake.
const PROTOCOL: &[u8] = b"rhema-crdt/1";

/// The protocol of those who want to become members. It is spoken only while somebody is invited.
const JOINING: &[u8] = b"rhema-join/1";

/// What every Ed25519 key in a `SubjectPublicKeyInfo` begins with (RFC 8410, section 4).
const PUBLIC_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// What every Ed25519 secret in PKCS #8 begins with (RFC 8410, section 7).
const SECRET_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// TLS wants a name of the server; none is sent, none is checked.
pub(super) const NO_NAME: &str = "rhema.invalid";

/// A node's public key, as TLS proves it.
pub type PublicKey = [u8; 32];

/// Who may come in. Asked in every handshake, so the answer may change while the program runs.
pub trait Trust: Send + Sync {
    /// Whether the node with this key may talk to us.
    fn admits(&self, key: &PublicKey) -> bool;

    /// Whether somebody was invited, so that strangers may say with what.
    fn expects_strangers(&self) -> bool {
        false
    }
}

impl<F: Fn(&PublicKey) -> bool + Send + Sync> Trust for F {
    fn admits(&self, key: &PublicKey) -> bool {
        self(key)
    }
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Saying and hearing edits.
    Talking,
    /// Becoming a member.
    Joining,
}

impl Purpose {
    fn protocol(self) -> &'static [u8] {
        match self {
            Self::Talking => PROTOCOL,
            Self::Joining => JOINING,
        }
    }

    /// What the two sides of a connection agreed on.
    pub(super) fn of(connection: &quinn::Connection) -> Self {
        let data = connection.handshake_data();
        let data = data.and_then(|data| data.downcast::<HandshakeData>().ok());
        match data.and_then(|data| data.protocol) {
            Some(protocol) if protocol == JOINING => Self::Joining,
            _ => Self::Talking,
        }
    }
}

/// What a node's key gives it on the network.
#[derive(Clone)]
pub(super) struct Identity {
    key: PublicKey,
    certified: Arc<CertifiedKey>,
    provider: Arc<CryptoProvider>,
    trust: Arc<dyn Trust>,
    derived: Arc<hkdf::Prk>,
}

impl fmt::Debug for Identity {
    /// Secrets are never shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity").field(&self.key).finish()
    }
}

impl Identity {
    /// The identity of the node with this key, which lets in whom `trust` admits.
    pub(super) fn new(key: &NodeKey, trust: Arc<dyn Trust>) -> Result<Self, Error> {
        let mut secret = SECRET_PREFIX.to_vec();
        secret.extend_from_slice(key.signing().as_bytes());
        let signing = provider::sign::any_eddsa_type(&PrivatePkcs8KeyDer::from(secret))?;
        let public = spki(key.public().as_bytes());
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"rhema-crdt network keys 1");
        Ok(Self {
            key: *key.public().as_bytes(),
            certified: Arc::new(CertifiedKey::new(
                vec![CertificateDer::from(public)],
                signing,
            )),
            provider: Arc::new(provider::default_provider()),
            trust,
            derived: Arc::new(salt.extract(key.signing().as_bytes())),
        })
    }

    /// The node's public key.
    pub(super) fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Whether the node with this key may talk to us.
    pub(super) fn admits(&self, key: &PublicKey) -> bool {
        *key != self.key && self.trust.admits(key)
    }

    /// Whether strangers may say with what they were invited.
    pub(super) fn expects_strangers(&self) -> bool {
        self.trust.expects_strangers()
    }

    /// How connections are accepted.
    pub(super) fn server(&self) -> Result<QuicServerConfig, Error> {
        let certified = AlwaysResolvesServerRawPublicKeys::new(self.certified.clone());
        self.server_with(self.verifier(None), Arc::new(certified), &[PROTOCOL])
    }

    /// How one connection is accepted while somebody is invited: who speaks of nothing but joining gets through the handshake
    /// with any key, everybody else as ever.
    pub(super) fn server_for_strangers(&self) -> Result<QuicServerConfig, Error> {
        let asked = Arc::new(AtomicBool::new(false));
        let verifier = Verifier {
            joins: asked.clone(),
            ..self.verifier_of(None)
        };
        let noting = NotingWhoJoins {
            certified: self.certified.clone(),
            joins: asked,
        };
        self.server_with(Arc::new(verifier), Arc::new(noting), &[PROTOCOL, JOINING])
    }

    fn server_with(
        &self,
        verifier: Arc<Verifier>,
        resolver: Arc<dyn ResolvesServerCert>,
        protocols: &[&[u8]],
    ) -> Result<QuicServerConfig, Error> {
        let mut config = rustls::ServerConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(resolver);
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        config.session_storage = Arc::new(NoServerSessionStorage {});
        // A resumed session would skip the question who may come in.
        config.send_tls13_tickets = 0;
        config.max_early_data_size = 0;
        Ok(QuicServerConfig::try_from(config)?)
    }

    /// How connections are dialled: to the node with this key, or to any that is admitted.
    pub(super) fn client(
        &self,
        expected: Option<PublicKey>,
        purpose: Purpose,
    ) -> Result<QuicClientConfig, Error> {
        let mut config = rustls::ClientConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(&[&TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(self.verifier(expected))
            .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(
                self.certified.clone(),
            )));
        config.alpn_protocols = vec![purpose.protocol().to_vec()];
        config.resumption = Resumption::disabled();
        config.enable_early_data = false;
        config.enable_sni = false;
        Ok(QuicClientConfig::try_from(config)?)
    }

    /// What stateless resets are signed with. The same after a restart: peers then notice at the first packet that their
    /// connection is gone, instead of waiting until it times out.
    pub(super) fn reset_key(&self) -> Result<hmac::Key, Error> {
        let okm = self.derived.expand(&[b"reset"], hmac::HMAC_SHA256);
        Ok(hmac::Key::from(okm.map_err(|_| Error::Derivation)?))
    }

    /// What connection ids are made with. With another one after a restart the packets of old connections would be
    /// dropped as garbage, and answered by no reset.
    pub(super) fn connection_id_key(&self) -> Result<u64, Error> {
        let mut key = [0; 8];
        self.derived
            .expand(&[b"connection ids"], EightBytes)
            .and_then(|okm| okm.fill(&mut key))
            .map_err(|_| Error::Derivation)?;
        Ok(u64::from_le_bytes(key))
    }

    /// What the tokens that prove an address are sealed with.
    pub(super) fn token_key(&self) -> Result<hkdf::Prk, Error> {
        let okm = self.derived.expand(&[b"tokens"], hkdf::HKDF_SHA256);
        Ok(hkdf::Prk::from(okm.map_err(|_| Error::Derivation)?))
    }

    fn verifier(&self, expected: Option<PublicKey>) -> Arc<Verifier> {
        Arc::new(self.verifier_of(expected))
    }

    fn verifier_of(&self, expected: Option<PublicKey>) -> Verifier {
        Verifier {
            identity: self.clone(),
            expected,
            algorithms: self.provider.signature_verification_algorithms,
            joins: Arc::default(),
        }
    }
}

struct EightBytes;

impl hkdf::KeyType for EightBytes {
    fn len(&self) -> usize {
        8
    }
}

/// The key that the other side of a connection has proved to have.
pub(super) fn proved(connection: &quinn::Connection) -> Option<PublicKey> {
    let identity = connection.peer_identity()?;
    let chain = identity.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    match chain.as_slice() {
        [only] => public_key(only),
        _ => None,
    }
}

fn spki(key: &PublicKey) -> Vec<u8> {
    [PUBLIC_PREFIX.as_slice(), key].concat()
}

fn public_key(spki: &[u8]) -> Option<PublicKey> {
    spki.strip_prefix(&PUBLIC_PREFIX)?.try_into().ok()
}

/// Why a key was turned away, as the alert of the handshake has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Objection {
    /// It is nobody that we admit.
    Stranger,
    /// It is our own: we called ourselves.
    Ourselves,
    /// We wanted to talk to another one.
    Another,
}

impl Objection {
    /// TLS knows few alerts (RFC 8446, section 6.2): these are told apart at the other end too.
    fn error(self) -> rustls::Error {
        rustls::Error::InvalidCertificate(match self {
            Self::Stranger => CertificateError::ApplicationVerificationFailure,
            Self::Ourselves => CertificateError::Revoked,
            Self::Another => CertificateError::UnknownIssuer,
        })
    }

    /// What an alert says; `None` for one that is about something else.
    pub(super) fn from_alert(code: u64) -> Option<Self> {
        /// Where QUIC's error codes have TLS' alerts (RFC 9001, section 4.8).
        const CRYPTO: u64 = 0x100;
        match code.checked_sub(CRYPTO)? {
            49 => Some(Self::Stranger),
            44 => Some(Self::Ourselves),
            48 => Some(Self::Another),
            _ => None,
        }
    }
}

/// Shows our key to whoever calls, and notes whether they speak of joining: that is known before their own key is judged.
#[derive(Debug)]
struct NotingWhoJoins {
    certified: Arc<CertifiedKey>,
    joins: Arc<AtomicBool>,
}

impl ResolvesServerCert for NotingWhoJoins {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let mut protocols = hello.alpn().into_iter().flatten();
        // Who names others, too, is one of those, whatever we take in the end.
        let joins = protocols.next() == Some(JOINING) && protocols.next().is_none();
        self.joins.store(joins, Ordering::Release);
        Some(self.certified.clone())
    }

    fn only_raw_public_keys(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct Verifier {
    identity: Identity,
    expected: Option<PublicKey>,
    algorithms: WebPkiSupportedAlgorithms,
    /// Whether the other side wants to join, which anybody may.
    joins: Arc<AtomicBool>,
}

impl Verifier {
    fn admit(&self, key: &[u8], more: &[CertificateDer<'_>]) -> Result<(), rustls::Error> {
        let Some(key) = public_key(key).filter(|_| more.is_empty()) else {
            return Err(CertificateError::BadEncoding.into());
        };
        let objection = if key == self.identity.key {
            Objection::Ourselves
        } else if self.expected.is_some_and(|expected| expected != key) {
            Objection::Another
        } else if !self.joins.load(Ordering::Acquire) && !self.identity.trust.admits(&key) {
            Objection::Stranger
        } else {
            return Ok(());
        };
        Err(objection.error())
    }

    fn verify(
        &self,
        message: &[u8],
        key: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature_with_raw_key(
            message,
            &SubjectPublicKeyInfoDer::from(key.as_ref()),
            signed,
            &self.algorithms,
        )
    }
}

/// Only TLS 1.3 is spoken here.
fn never() -> Result<HandshakeSignatureValid, rustls::Error> {
    Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into())
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.admit(end_entity, intermediates)
            .map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        never()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verify(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

impl ClientCertVerifier for Verifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.admit(end_entity, intermediates)
            .map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        never()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verify(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}
