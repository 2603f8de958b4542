//! PNG on standard input, a PNG with no edge over `edge` pixels on standard output.
//!
//! The query string may hold `edge=N`, 1 to 128; 128 without it. Pictures that are small enough are
//! encoded again, not enlarged. Exits with 1 and a line on standard error if the input is no PNG.

mod resize;

use png::{BitDepth, ColorType, Decoder, Encoder, Transformations};
use resize::{fit, shrink, Picture};
use std::io::{self, Cursor, Read, Write};
use std::process::ExitCode;

/// Longest edge of a thumbnail in pixels.
const MAX_EDGE: u32 = 128;
/// Most pixels of a picture that is decoded: keeps memory below 64 MiB.
const MAX_PIXELS: u64 = 4 * 1024 * 1024;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
	match run() {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("thumbnail: {error}");
			ExitCode::FAILURE
		}
	}
}

fn run() -> Result<(), Failure> {
	let edge = wanted_edge(&std::env::var("QUERY_STRING").unwrap_or_default())?;
	let mut source = Vec::new();
	io::stdin().lock().read_to_end(&mut source)?;
	let picture = decode(&source)?;
	let (width, height) = fit(picture.width, picture.height, edge);
	let encoded = encode(&shrink(&picture, width, height))?;
	let mut out = io::stdout().lock();
	out.write_all(&encoded)?;
	out.flush()?;
	Ok(())
}

/// The `edge` parameter of a query string.
fn wanted_edge(query: &str) -> Result<u32, Failure> {
	for pair in query.split('&') {
		if let Some(value) = pair.strip_prefix("edge=") {
			return match value.parse() {
				Ok(edge @ 1..=MAX_EDGE) => Ok(edge),
				_ => Err(format!("edge must be a number from 1 to {MAX_EDGE}").into()),
			};
		}
	}
	Ok(MAX_EDGE)
}

/// Decodes any PNG to eight bits per channel, without a palette.
fn decode(source: &[u8]) -> Result<Picture, Failure> {
	let mut decoder = Decoder::new(Cursor::new(source));
	decoder.set_transformations(Transformations::normalize_to_color8());
	let mut reader = decoder.read_info()?;
	let (width, height) = (reader.info().width, reader.info().height);
	if u64::from(width) * u64::from(height) > MAX_PIXELS {
		return Err(format!("the picture has over {MAX_PIXELS} pixels").into());
	}
	let size = reader
		.output_buffer_size()
		.ok_or("the picture is too large")?;
	let mut samples = vec![0; size];
	let frame = reader.next_frame(&mut samples)?;
	samples.truncate(frame.buffer_size());
	Ok(Picture {
		width,
		height,
		color: frame.color_type,
		samples,
	})
}

fn encode(picture: &Picture) -> Result<Vec<u8>, Failure> {
	let mut encoded = Vec::new();
	let mut encoder = Encoder::new(&mut encoded, picture.width, picture.height);
	encoder.set_color(match picture.color {
		ColorType::Indexed => return Err("palettes are expanded when decoding".into()),
		color => color,
	});
	encoder.set_depth(BitDepth::Eight);
	let mut writer = encoder.write_header()?;
	writer.write_image_data(&picture.samples)?;
	writer.finish()?;
	Ok(encoded)
}
