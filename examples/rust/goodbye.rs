//! A server that says why it hangs up, and clients that print it: ISO transport over TCP (RFC
//! 2126), where a connect, its answer and a disconnect carry data. The same play as
//! `examples/c/goodbye.c`.

use std::error::Error;
use std::thread;

use linsock::net::{ConnectData, DisconnectData, IsoSocket, Received, TransportAddress};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome<()> {
    let door = IsoSocket::new()?;
    let any = TransportAddress::new("127.0.0.1:0".parse()?, b"restaurant");
    door.bind(&any.ok_or("a selector has at most 32 octets")?)?;
    door.listen(5)?;
    let at = door.local_address()?;
    let server = thread::spawn(move || serve(&door));
    visit(&at, "guest")?;
    visit(&at, "member")?;
    server.join().map_err(|_| "the server has died")?
}

fn serve(door: &IsoSocket) -> Outcome<()> {
    loop {
        // Asked for every connection, before it is one.
        let request = door.accept()?;
        if request.data() != b"member" {
            request.refuse(&DisconnectData::new(b"full house")?);
            continue;
        }
        let guest = request.accept(&ConnectData::new(b"table 4")?)?;
        guest.send(b"soup")?;
        guest.disconnect(&DisconnectData::new(b"we close at ten")?)?;
        return Ok(());
    }
}

fn visit(at: &TransportAddress, who: &str) -> Outcome<()> {
    let socket = IsoSocket::new()?;
    match socket.connect(at, &ConnectData::new(who.as_bytes())?) {
        Ok(welcome) => println!("{who}: welcomed: {:?}", text(welcome.octets())),
        Err(refused) => {
            let why = socket.refusal().ok_or(refused)?;
            println!("{who}: turned away: {:?}", text(why.octets()));
            return Ok(());
        }
    }
    loop {
        match socket.recv()? {
            Received::Message(message) => println!("{who}: served: {:?}", text(&message)),
            Received::Disconnected(why) => {
                println!("{who}: sent home: {:?}", text(why.octets()));
                return Ok(());
            }
        }
    }
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}
