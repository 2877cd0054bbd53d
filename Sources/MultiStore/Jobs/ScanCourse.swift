/// The way of a job through the databases of the stores: which page is next, and which are not done. It decides, and
/// does no I/O.
struct ScanCourse {
  /// One database of one store.
  struct Place: Equatable {
    /// The database's number as the application knows it.
    let database: Int
    let role: StoreRole
  }

  private let kind: KeyJobKind
  private(set) var defaultStore: StoreRole
  /// The number of the run: it begins anew when the default store has moved.
  private(set) var run = 0
  private var places: [Place] = []
  private var index = 0
  /// The databases in which the default store had keys, or did not tell how many.
  private var databasesWithKeys: Set<Int> = []
  private(set) var isSurveyed = false
  /// The keys that the places had together; nil if a store did not tell.
  private(set) var expectedKeys: Int?
  /// The cursor of the next page.
  private(set) var cursor = KeyScan.start
  /// The pages that have not ended, in the order of their scan.
  private var pages: [(id: Int, position: Position)] = []
  private var lastPage = 0

  init(of kind: KeyJobKind, defaultStore: StoreRole) {
    self.kind = kind
    self.defaultStore = defaultStore
  }

  /// The place of the next page; nil before the survey and after the last page.
  var place: Place? { index < places.count ? places[index] : nil }

  /// The stores that are scanned.
  var roles: [StoreRole] { kind == .backfill ? [defaultStore] : [defaultStore, defaultStore.other] }

  /// Takes the result of the survey: the keys of each database by its number, for each store.
  mutating func surveyed(_ found: [StoreRole: [Int: Int?]]) {
    isSurveyed = true
    places = roles.flatMap { role in
      (found[role] ?? [:]).keys.sorted().map { Place(database: $0, role: role) }
    }
    databasesWithKeys = Set((found[defaultStore] ?? [:]).filter { $0.value != 0 }.keys)
    let counts = roles.flatMap { Array((found[$0] ?? [:]).values) }
    expectedKeys = counts.contains { $0 == nil } ? nil : counts.reduce(0) { $0.addingSaturated($1 ?? 0) }
  }

  /// Whether the default store may have had keys in a database at the survey.
  func mayHoldKeys(_ database: Int) -> Bool { databasesWithKeys.contains(database) }

  /// Begins a page, whose keys came with the cursor of the one after it.
  ///
  /// - Returns: the page's number.
  mutating func pageBegan(next cursor: [UInt8]) -> Int {
    guard let position = place.map({ Position(place: $0, cursor: self.cursor) }) else {
      preconditionFailure("a page begins after the last one")
    }
    lastPage += 1
    pages.append((lastPage, position))
    self.cursor = cursor
    if cursor == KeyScan.start { skipPlace() }
    return lastPage
  }

  /// Ends a page.
  mutating func pageEnded(_ id: Int) {
    pages.removeAll { $0.id == id }
  }

  /// Goes on with the next place.
  mutating func skipPlace() {
    index += 1
    cursor = KeyScan.start
  }

  /// Begins anew, with another default store.
  mutating func restart(defaultStore role: StoreRole) {
    let run = run + 1
    self = ScanCourse(of: kind, defaultStore: role)
    self.run = run
  }

  /// The position for the next process: the first page that has not ended; nil before the survey and after the last
  /// one.
  var position: Position? { pages.first?.position ?? place.map { Position(place: $0, cursor: cursor) } }

  /// A place and a cursor.
  struct Position: Equatable {
    let place: Place
    let cursor: [UInt8]
  }

  /// Continues at the position of the last process, if the survey has found its place.
  mutating func resume(at position: Position) {
    guard let index = places.firstIndex(of: position.place) else { return }
    self.index = index
    cursor = position.cursor
  }
}
