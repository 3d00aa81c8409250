//! A name server that answers as a test wants, and remembers what it was asked.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use hickory_proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA};
use hickory_proto::rr::{RData, Record, RecordType};
use tokio::net::UdpSocket;
use tokio::task::AbortHandle;

/// What the server says to a question.
#[derive(Clone, Debug)]
pub enum Answer {
    /// These addresses (those of the family asked for), to be kept for no time at all.
    Addresses(Vec<IpAddr>),
    NoSuchName,
    /// Nothing.
    Silence,
}

/// A name server on UDP; it is gone when this is dropped.
pub struct DnsServer {
    pub address: SocketAddr,
    questions: Arc<Mutex<Vec<String>>>,
    task: AbortHandle,
}

impl Drop for DnsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl DnsServer {
    /// Answers each question by its name (without the dot at the end) and by how often that name
    /// was asked for the same kind of address before.
    pub async fn start(answer: impl Fn(&str, usize) -> Answer + Send + 'static) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = socket.local_addr().unwrap();
        let questions = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&questions);
        let task = tokio::spawn(async move {
            let mut buffer = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let asked = Message::from_vec(&buffer[..length]).unwrap();
                let query = asked.queries[0].clone();
                let name = query.name().to_string().trim_end_matches('.').to_lowercase();
                let question = format!("{} {name}", query.query_type());
                let before = {
                    let mut log = log.lock().unwrap();
                    let before = log.iter().filter(|other| **other == question).count();
                    log.push(question);
                    before
                };
                if let Some(reply) = reply(&asked, answer(&name, before)) {
                    socket.send_to(&reply.to_vec().unwrap(), from).await.unwrap();
                }
            }
        });
        Self { address, questions, task: task.abort_handle() }
    }

    /// What was asked, such as `A name.test`, in alphabetical order.
    pub fn questions(&self) -> Vec<String> {
        let mut questions = self.questions.lock().unwrap().clone();
        questions.sort();
        questions
    }
}

fn reply(asked: &Message, answer: Answer) -> Option<Message> {
    let query = asked.queries[0].clone();
    let mut reply = Message::new(asked.metadata.id, MessageType::Response, OpCode::Query);
    reply.metadata.recursion_available = true;
    reply.metadata.recursion_desired = true;
    match answer {
        Answer::Silence => return None,
        Answer::NoSuchName => reply.metadata.response_code = ResponseCode::NXDomain,
        Answer::Addresses(addresses) => {
            let data = addresses.into_iter().filter_map(|address| match (query.query_type(), address) {
                (RecordType::A, IpAddr::V4(v4)) => Some(RData::A(A(v4))),
                (RecordType::AAAA, IpAddr::V6(v6)) => Some(RData::AAAA(AAAA(v6))),
                _ => None,
            });
            reply.add_answers(data.map(|data| Record::from_rdata(query.name().clone(), 0, data)));
        }
    }
    reply.add_query(query);
    Some(reply)
}
