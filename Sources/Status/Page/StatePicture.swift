/// Draws an instance's state: the application above the sidecar, and arrows to the stores in use. The page says the
/// same in words beside it.
struct StatePicture {
  /// An arrow's end and the position of its label.
  private struct Arrow {
    let x: Int
    let labelX: Int
    /// The part of the label that is at `labelX`: `start` or `end`.
    let anchor: String
  }

  /// A store's position.
  private struct Place {
    /// The left edge of the box.
    let left: Int
    let reads: Arrow
    let writes: Arrow
  }

  private static let old = Place(
    left: 8,
    reads: Arrow(x: 76, labelX: 67, anchor: "end"),
    writes: Arrow(x: 120, labelX: 129, anchor: "start")
  )
  private static let new = Place(
    left: 192,
    reads: Arrow(x: 284, labelX: 293, anchor: "start"),
    writes: Arrow(x: 240, labelX: 231, anchor: "end")
  )
  private static let alone = Place(
    left: 100,
    reads: Arrow(x: 160, labelX: 151, anchor: "end"),
    writes: Arrow(x: 200, labelX: 209, anchor: "start")
  )

  let instance: InstanceReport

  /// Returns the picture; `id` has to be unique on the page.
  func svg(id: String) -> HTML {
    let state = instance.state
    let stores = instance.stores.map { store in
      let place = state.isPassThrough ? Self.alone : store.isNew ? Self.new : Self.old
      return drawing(of: store, at: place, id: id)
    }
    return """
      <svg class="picture" viewBox="0 0 360 238" role="img" \
      aria-labelledby="\(id)-title" aria-describedby="\(id)-words">
      <title id="\(id)-title">Where commands go</title><desc id="\(id)-words">\(state.sentence)</desc>
      <defs><marker id="\(id)-head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" \
      orient="auto"><path class="head" d="M0 0 10 5 0 10z"/></marker></defs>
      <rect class="box" x="100" y="4" width="160" height="36" rx="8"/>
      <text class="name" x="180" y="27">\(HumanFormat.count(instance.clients, "client"))</text>
      <path class="arrow" d="M180 40V62" marker-end="url(#\(id)-head)"/>
      <rect class="box sidecar" x="100" y="64" width="160" height="36" rx="8"/>
      <text class="name" x="180" y="87">sidecar</text>
      \(stores)</svg>
      """
  }

  private func drawing(of store: StoreReport, at place: Place, id: String) -> HTML {
    let reads = readsLabel(of: store)
    let isWritten = instance.state.writes == .both || instance.state.writes == store.role
    let isUsed = reads != nil || isWritten
    let middle = place.left + 80
    let use =
      instance.state.isPassThrough ? "the only store" : store.isDefault ? "default" : isUsed ? "other" : "not used"
    let classes = [
      "store", isUsed ? nil : "unused", store.isDefault ? "default" : nil, store.problem == nil ? nil : "down",
    ]
    return """
      \(reads.map { drawing(of: place.reads, label: $0, id: id) } ?? "")\
      \(HTML.when(isWritten, drawing(of: place.writes, label: "writes", id: id)))\
      <g class="\(classes.compactMap(\.self).joined(separator: " "))">
      <rect class="box" x="\(place.left)" y="166" width="160" height="68" rx="8"/>
      <text class="name" x="\(middle)" y="187">\(store.title(in: instance.state))</text>
      <text class="detail" x="\(middle)" y="206">\(store.problem == nil ? "up" : "down")\
      \(store.version.map { ", version \($0.prefix(Self.shownVersion))" } ?? "")</text>
      <text class="detail" x="\(middle)" y="224">\(use)</text>
      </g>

      """
  }

  /// The number of characters of a version that fit into a box; real versions are shorter.
  private static let shownVersion = 12

  private func readsLabel(of store: StoreReport) -> String? {
    switch instance.state.reads {
    case .primaryThenSecondary, .both: store.isNew ? "reads" : "misses"
    case let only: only == store.role ? "reads" : nil
    }
  }

  private func drawing(of arrow: Arrow, label: String, id: String) -> HTML {
    // From the sidecar's lower edge, the nearer to the middle the straighter.
    let start = 180 + (arrow.x - 180) / 3
    return """
      <path class="arrow" d="M\(start) 100C\(start) 134 \(arrow.x) 124 \(arrow.x) 164" marker-end="url(#\(id)-head)"/>
      <text class="label" x="\(arrow.labelX)" y="154" text-anchor="\(arrow.anchor)">\(label)</text>

      """
  }
}
