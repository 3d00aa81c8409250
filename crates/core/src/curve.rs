//! Lines through a few points, by which evidence is weighed.

/// The height at `x` of the line through `points`, which are sorted by their first number; level
/// before the first and after the last.
pub(crate) fn interpolate(points: &[(f64, f64)], x: f64) -> f64 {
    let after = points.partition_point(|(at, _)| *at <= x);
    match (after.checked_sub(1).and_then(|before| points.get(before)), points.get(after)) {
        (Some((x0, y0)), Some((x1, y1))) => y0 + (y1 - y0) * (x - x0) / (x1 - x0),
        (Some((_, y)), None) | (None, Some((_, y))) => *y,
        (None, None) => 0.5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_level_outside_their_points() {
        let points = [(1.0, 0.5), (3.0, 0.1)];
        for (x, y) in [(0.0, 0.5), (1.0, 0.5), (2.0, 0.3), (3.0, 0.1), (9.0, 0.1)] {
            assert!((interpolate(&points, x) - y).abs() < 1e-9, "{x}");
        }
    }
}
