//! Area averaging in integers: each target pixel is the mean of the source area that it covers.

use png::ColorType;

/// A decoded picture, eight bits per channel, rows without padding.
pub struct Picture {
	pub width: u32,
	pub height: u32,
	pub color: ColorType,
	pub samples: Vec<u8>,
}

/// The size with the same proportions whose longer edge is at most `edge`.
pub fn fit(width: u32, height: u32, edge: u32) -> (u32, u32) {
	let longest = width.max(height);
	if longest <= edge {
		return (width, height);
	}
	let scale = |side: u32| {
		let scaled =
			(u64::from(side) * u64::from(edge) + u64::from(longest) / 2) / u64::from(longest);
		(scaled as u32).max(1)
	};
	(scale(width), scale(height))
}

/// Shrinks one axis at a time.
pub fn shrink(picture: &Picture, width: u32, height: u32) -> Picture {
	let channels = picture.color.samples();
	let (w, h) = (picture.width as usize, picture.height as usize);
	let (to_w, to_h) = (width as usize, height as usize);
	// First across: pixels of a row stand `channels` apart, and rows are independent lines.
	let mut narrow = vec![0u8; to_w * h * channels];
	for y in 0..h {
		let from = &picture.samples[y * w * channels..(y + 1) * w * channels];
		let to = &mut narrow[y * to_w * channels..(y + 1) * to_w * channels];
		for channel in 0..channels {
			shrink_line(from, to, channel, channels, w, to_w);
		}
	}
	// Then down: every column of samples is a line with the row's length as its stride.
	let stride = to_w * channels;
	let mut small = vec![0u8; stride * to_h];
	for column in 0..stride {
		shrink_line(&narrow, &mut small, column, stride, h, to_h);
	}
	Picture {
		width,
		height,
		color: picture.color,
		samples: small,
	}
}

/// Shrinks a line of `from_len` samples at `offset`, `stride` apart, to `to_len` samples.
///
/// Positions are counted in units of 1 / (from_len × to_len) of the line, so that all weights are
/// whole numbers and their sum is exactly `from_len`.
fn shrink_line(
	from: &[u8],
	to: &mut [u8],
	offset: usize,
	stride: usize,
	from_len: usize,
	to_len: usize,
) {
	for index in 0..to_len {
		let (start, end) = (index * from_len, (index + 1) * from_len);
		let mut sum = 0u64;
		let mut source = start / to_len;
		while source * to_len < end {
			let covered = end.min((source + 1) * to_len) - start.max(source * to_len);
			sum += covered as u64 * u64::from(from[offset + source * stride]);
			source += 1;
		}
		let total = from_len as u64;
		to[offset + index * stride] = ((sum + total / 2) / total) as u8;
	}
}
