//! Every method × every kind of certificate, over real TLS: what the table allows is let through to its handler, all else
//! is refused at the door, before anything of the request is read.

use std::path::PathBuf;

use musubi::serve::authorise::allowed;
use musubi::serve::identity::Role;
use musubi::wire::{Method, reason_of};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, Issuer, KeyPair, SanType};
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Request, Status};

use crate::world::World;

/// What a certificate is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// One URI name of a role.
    Role(Role),
    /// No URI name.
    NoUri,
    /// Two of them, each good.
    TwoUris,
    /// Of another trust domain.
    OtherDomain,
    /// A role that there is not.
    NoRole,
    /// Its time has passed.
    Expired,
    /// None at all.
    Nothing,
}

impl Shown {
    fn all() -> Vec<Self> {
        let mut all: Vec<Self> = Role::ALL.into_iter().map(Self::Role).collect();
        all.extend([
            Self::NoUri,
            Self::TwoUris,
            Self::OtherDomain,
            Self::NoRole,
            Self::Expired,
            Self::Nothing,
        ]);
        all
    }

    fn uris(self) -> Vec<String> {
        let one = |text: &str| vec![text.to_owned()];
        match self {
            Self::Role(role) => vec![format!("spiffe://musubi.test/{role}/hosp_a")],
            Self::NoUri | Self::Nothing => Vec::new(),
            Self::TwoUris => ["source", "pipeline"]
                .map(|role| format!("spiffe://musubi.test/{role}/hosp_a"))
                .to_vec(),
            Self::OtherDomain => one("spiffe://elsewhere.test/pipeline/hosp_a"),
            Self::NoRole => one("spiffe://musubi.test/root/hosp_a"),
            Self::Expired => one("spiffe://musubi.test/pipeline/hosp_a"),
        }
    }

    /// Certificate and key, PEM, signed by the authority of the folder.
    fn issue(self, certs: &std::path::Path) -> Identity {
        let read = |name: &str| std::fs::read_to_string(certs.join(name)).expect("authority");
        let authority = KeyPair::from_pem(&read("ca.key")).expect("key");
        let issuer = Issuer::from_ca_cert_pem(&read("ca.crt"), authority).expect("authority");
        let mut params = CertificateParams::default();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        for uri in self.uris() {
            let uri = uri.as_str().try_into().expect("ASCII");
            params.subject_alt_names.push(SanType::URI(uri));
        }
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        let end = if self == Self::Expired { 2021 } else { 2100 };
        params.not_after = rcgen::date_time_ymd(end, 1, 1);
        let key = KeyPair::generate().expect("key");
        let leaf = params.signed_by(&key, &issuer).expect("certificate");
        Identity::from_pem(leaf.pem(), key.serialize_pem())
    }

    async fn connect(self, world: &World) -> Result<Channel, tonic::transport::Error> {
        let ca = std::fs::read_to_string(world.certs().join("ca.crt")).expect("authority");
        let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca));
        if self != Self::Nothing {
            tls = tls.identity(self.issue(&world.certs()));
        }
        let endpoint = Endpoint::from_shared(world.address()).expect("address");
        endpoint.tls_config(tls).expect("TLS").connect().await
    }
}

/// Messages as bytes, so that one call fits every method.
#[derive(Clone, Default)]
struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = ();
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        bytes::BufMut::put_slice(buffer, &item);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        bytes::Buf::advance(buffer, bytes::Buf::remaining(buffer));
        Ok(Some(()))
    }
}

/// Calls a method with an empty message; `Ok` if it was answered.
async fn call(channel: Channel, path: &'static str) -> Result<(), Status> {
    send(channel, path, Vec::new()).await
}

async fn send(channel: Channel, path: &'static str, message: Vec<u8>) -> Result<(), Status> {
    let mut client = Grpc::new(channel);
    let ready = client.ready().await;
    ready.map_err(|error| Status::unavailable(error.to_string()))?;
    let path = http::uri::PathAndQuery::from_static(path);
    let answer = client.server_streaming(Request::new(message), path, Bytes);
    answer.await?.into_inner().message().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_method_is_answered_to_the_roles_of_its_row_and_to_nobody_else() {
    let world = World::start().await;
    let mut cells = 0;
    for shown in Shown::all() {
        let channel = shown.connect(&world).await;
        for method in Method::ALL {
            cells += 1;
            let answer = match &channel {
                Ok(channel) => call(channel.clone(), method.path()).await,
                Err(error) => Err(Status::unavailable(error.to_string())),
            };
            let reason = answer.as_ref().err().and_then(reason_of);
            let code = answer.as_ref().err().map(Status::code);
            let cell = format!("{shown:?} {method:?}: {code:?} {reason:?}");
            match shown {
                Shown::Role(role) if allowed(*method).contains(&role) => {
                    let refused_at_the_door =
                        matches!(reason.as_deref(), Some("ROLE" | "IDENTITY" | "DEFECT"));
                    assert!(
                        !refused_at_the_door && code != Some(Code::Unavailable),
                        "{cell}"
                    );
                }
                Shown::Role(_) => {
                    assert_eq!(reason.as_deref(), Some("ROLE"), "{cell}");
                    assert_eq!(code, Some(Code::PermissionDenied), "{cell}");
                }
                Shown::NoUri | Shown::TwoUris | Shown::OtherDomain | Shown::NoRole => {
                    assert_eq!(reason.as_deref(), Some("IDENTITY"), "{cell}");
                    assert_eq!(code, Some(Code::Unauthenticated), "{cell}");
                }
                // Refused by TLS: there is no answer at all.
                Shown::Expired | Shown::Nothing => {
                    assert!(answer.is_err() && reason.is_none(), "{cell}");
                }
            }
        }
    }
    assert_eq!(cells, Shown::all().len() * Method::ALL.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_reflection_answer_every_role_and_no_stranger() {
    let world = World::start().await;
    let check = "/grpc.health.v1.Health/Check";
    for role in Role::ALL {
        let channel = Shown::Role(role).connect(&world).await.expect("connected");
        call(channel.clone(), check).await.expect("healthy");
        let reflection = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
        // Field 7, empty: list the services.
        send(channel, reflection, vec![7 << 3 | 2, 0])
            .await
            .expect("an answer");
    }
    let stranger = Shown::OtherDomain.connect(&world).await.expect("connected");
    let refused = call(stranger, check).await.expect_err("a stranger");
    assert_eq!(refused.code(), Code::Unauthenticated);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_server_certificate_is_in_force_without_a_restart() {
    let world = World::start().await;
    let pipeline = Shown::Role(Role::Pipeline);
    pipeline.connect(&world).await.expect("before");
    // An authority of its own for the server: who trusts the one before no longer gets through.
    let other = World::start().await;
    let copy = |name: &str| {
        let from: PathBuf = other.certs().join(name);
        std::fs::copy(from, world.certs().join(name)).expect("copied");
    };
    let before = std::fs::read(world.certs().join("ca.crt")).expect("authority");
    copy("server.crt");
    copy("server.key");
    assert!(
        pipeline.connect(&world).await.is_err(),
        "another authority's server"
    );
    // And who trusts the other one does.
    copy("ca.crt");
    copy("ca.key");
    let channel = pipeline.connect(&world).await.expect("the new authority");
    call(channel, Method::EntityListSources.path())
        .await
        .expect("answered");
    // A file that is no certificate leaves what is in force.
    std::fs::write(world.certs().join("server.crt"), "no certificate").expect("written");
    pipeline.connect(&world).await.expect("still served");
    assert_ne!(
        before,
        std::fs::read(world.certs().join("ca.crt")).expect("authority")
    );
}
