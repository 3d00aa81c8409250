//! How far a share that was counted may be from the share there is: Wilson's score interval.

/// The quantile of the normal distribution that leaves 2.5% on either side.
const Z_95: f64 = 1.96;

/// The 95% interval of a share of which `right` of `of` were counted: its lower and upper end, each from 0 to 1.
/// Of nothing counted it is all there can be, 0 to 1; more than `of` counts as `of`.
///
/// E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal of the American
/// Statistical Association 22 (1927), 209–212. It keeps its 95% where few were counted and near 0 and 1, where the
/// textbook interval does not (Brown, Cai and DasGupta, Statistical Science 16 (2001), 101–133).
pub fn wilson(right: u64, of: u64) -> (f64, f64) {
    if of == 0 {
        return (0.0, 1.0);
    }
    of_share(right.min(of) as f64 / of as f64, of as f64)
}

/// The same for a share that is known as such, of so many as `count` says, which may be a part of one.
pub fn of_share(share: f64, count: f64) -> (f64, f64) {
    let z2 = Z_95 * Z_95;
    let centre = share + z2 / (2.0 * count);
    let half = Z_95 * (share * (1.0 - share) / count + z2 / (4.0 * count * count)).sqrt();
    let scale = 1.0 + z2 / count;
    (((centre - half) / scale).max(0.0), ((centre + half) / scale).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998),
    /// 857–872, table I, method 3, to the four decimals that are printed there.
    #[test]
    fn the_published_intervals() {
        let published = [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ];
        for (right, of, low, high) in published {
            let (found_low, found_high) = wilson(right, of);
            assert!((found_low - low).abs() < 6e-5, "{right} of {of}: {found_low}");
            assert!((found_high - high).abs() < 6e-5, "{right} of {of}: {found_high}");
        }
    }

    #[test]
    fn it_stays_between_nothing_and_all() {
        assert_eq!(wilson(0, 0), (0.0, 1.0));
        assert_eq!(wilson(0, 9).0, 0.0);
        assert!((wilson(9, 9).1 - 1.0).abs() < 1e-12);
        assert_eq!(wilson(10, 9), wilson(9, 9));
        let (low, high) = wilson(50, 100);
        assert!((low + high - 1.0).abs() < 1e-12, "as far on either side of a half");
    }
}
