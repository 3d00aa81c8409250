//! Linear equations with a symmetric, positive definite matrix, by its Cholesky root.

/// The lower triangle whose square is these rows and columns of a matrix; `None` if it is not positive definite.
pub(super) fn cholesky(matrix: &[Vec<f64>], of: &[usize]) -> Option<Vec<Vec<f64>>> {
    let mut root: Vec<Vec<f64>> = Vec::with_capacity(of.len());
    for (n, k) in of.iter().enumerate() {
        let mut row: Vec<f64> = Vec::with_capacity(n + 1);
        for (m, l) in of[..=n].iter().enumerate() {
            let done: f64 = (0..m).map(|i| row[i] * if m == n { row[i] } else { root[m][i] }).sum();
            let rest = matrix[*k][*l] - done;
            row.push(if m < n {
                rest / root[m][m]
            } else if rest > 0.0 {
                rest.sqrt()
            } else {
                return None;
            });
        }
        root.push(row);
    }
    Some(root)
}

/// The x of which root × rootᵀ × x is `right`.
pub(super) fn solve_by(root: &[Vec<f64>], right: &[f64]) -> Vec<f64> {
    let mut x = right.to_vec();
    for n in 0..x.len() {
        let done: f64 = (0..n).map(|m| root[n][m] * x[m]).sum();
        x[n] = (x[n] - done) / root[n][n];
    }
    for n in (0..x.len()).rev() {
        let done: f64 = (n + 1..x.len()).map(|m| root[m][n] * x[m]).sum();
        x[n] = (x[n] - done) / root[n][n];
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_rows_and_columns_of_a_matrix_are_solved() {
        let matrix = [vec![4.0, 9.0, 2.0], vec![9.0, 0.0, 9.0], vec![2.0, 9.0, 5.0]];
        let root = cholesky(&matrix, &[0, 2]).unwrap();
        assert_eq!(root, [vec![2.0], vec![1.0, 2.0]]);
        // 4 × 1 + 2 × 3 and 2 × 1 + 5 × 3
        assert_eq!(solve_by(&root, &[10.0, 17.0]), [1.0, 3.0]);
        assert_eq!(cholesky(&matrix, &[0, 1]), None, "4 × 0 − 9 × 9 is below 0");
    }
}
