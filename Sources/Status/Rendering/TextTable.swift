/// Renders tables for a terminal.
package enum TextTable {
  /// Spaces between two columns.
  private static let gap = "  "

  /// Returns rows with aligned columns, each with a line end.
  ///
  /// - Parameter numbers: The columns that are aligned to the right.
  package static func aligned(_ rows: [[String]], numbers: Set<Int> = []) -> String {
    let columns = rows.first?.indices ?? 0..<0
    let widths = columns.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = row.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - row[column].count)
        return numbers.contains(column) ? padding + row[column] : row[column] + padding
      }
      let line = cells.joined(separator: gap)
      return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
    }
    .joined()
  }
}
