internal import RESP

/// The position of a scan. It is valid only for the store that returned it.
public struct ScanCursor: Hashable, Sendable {
  /// The position at which every scan begins.
  public static let start = ScanCursor(text: "0")

  let text: String

  /// Whether it is the last page's cursor.
  public var isEnd: Bool { text == "0" }
}

/// The result of one step of a scan.
public struct ScanPage<Element: Sendable>: Sendable {
  /// The cursor of the next page; ``ScanCursor/isEnd`` after the last page.
  public let cursor: ScanCursor
  /// The elements of the page: possibly none, even before the last page, and possibly repeated ones.
  public let elements: [Element]
}

/// Scans, one page at a time. ``MultiStoreClient/scanEach(_:)`` goes through all pages.
extension StoreCommand {
  /// SCAN: keys of the default store.
  ///
  /// - Parameters:
  ///   - cursor: the previous page's cursor.
  ///   - pattern: only keys that match this glob pattern.
  ///   - count: the approximate number of keys that the store examines in this step, above 0; nil for the store's
  ///     default.
  public static func scan(
    _ cursor: ScanCursor = .start,
    matching pattern: String? = nil,
    count: Int? = nil
  ) -> StoreCommand where Reply == ScanPage<[UInt8]> {
    StoreCommand("SCAN", scanArguments(nil, cursor, pattern, count)) { RESPValue.page($0, RESPValue.values) }
  }

  /// SSCAN: members of a set; the parameters are those of ``scan(_:matching:count:)``.
  public static func sscan(
    _ key: any StoreArgument,
    _ cursor: ScanCursor = .start,
    matching pattern: String? = nil,
    count: Int? = nil
  ) -> StoreCommand where Reply == ScanPage<[UInt8]> {
    StoreCommand("SSCAN", scanArguments(key, cursor, pattern, count)) { RESPValue.page($0, RESPValue.values) }
  }

  /// HSCAN: fields of a hash with their values; the parameters are those of ``scan(_:matching:count:)``.
  public static func hscan(
    _ key: any StoreArgument,
    _ cursor: ScanCursor = .start,
    matching pattern: String? = nil,
    count: Int? = nil
  ) -> StoreCommand where Reply == ScanPage<HashField> {
    StoreCommand("HSCAN", scanArguments(key, cursor, pattern, count)) { reply in
      RESPValue.page(reply) { (pairs: RESPValue) -> [HashField]? in
        let fields: [[UInt8]: [UInt8]]? = RESPValue.fields(pairs)
        return fields?.map { HashField(name: $0.key, value: $0.value) }
      }
    }
  }

  /// ZSCAN: members of a sorted set with their scores; the parameters are those of ``scan(_:matching:count:)``.
  public static func zscan(
    _ key: any StoreArgument,
    _ cursor: ScanCursor = .start,
    matching pattern: String? = nil,
    count: Int? = nil
  ) -> StoreCommand where Reply == ScanPage<ScoredMember> {
    StoreCommand("ZSCAN", scanArguments(key, cursor, pattern, count)) { RESPValue.page($0, RESPValue.scoredMembers) }
  }

  private static func scanArguments(
    _ key: (any StoreArgument)?,
    _ cursor: ScanCursor,
    _ pattern: String?,
    _ count: Int?
  ) -> [[UInt8]] {
    var arguments = key.map { [$0.argumentBytes] } ?? []
    arguments.append(cursor.text.argumentBytes)
    if let pattern { arguments += ["MATCH".argumentBytes, pattern.argumentBytes] }
    if let count { arguments += ["COUNT".argumentBytes, count.argumentBytes] }
    return arguments
  }
}

/// One field of a hash.
public struct HashField: Hashable, Sendable {
  /// The field's name.
  public let name: [UInt8]
  /// The field's value.
  public let value: [UInt8]
}

extension MultiStoreClient {
  /// Goes through all pages of a scan.
  ///
  /// ```swift
  /// for try await member in sessions.scanEach({ .sscan("online", $0) }) { … }
  /// ```
  ///
  /// An element may be returned more than once, as in Redis. A scan that fell back to the secondary stays there. A flag
  /// that is flipped between two pages can end a scan early: the other store does not know the cursor.
  ///
  /// - Parameter page: makes the command for the page at a cursor.
  public func scanEach<Element>(
    _ page: @escaping @Sendable (ScanCursor) -> StoreCommand<ScanPage<Element>>
  ) -> StoreScan<Element> {
    StoreScan(client: self, page: page)
  }
}

/// The elements of a scan, page by page as they are asked for.
public struct StoreScan<Element: Sendable>: AsyncSequence, Sendable {
  let client: MultiStoreClient
  let page: @Sendable (ScanCursor) -> StoreCommand<ScanPage<Element>>

  /// Starts the scan from the beginning.
  public func makeAsyncIterator() -> Iterator {
    Iterator(client: client, page: page)
  }

  /// A scan in progress.
  public struct Iterator: AsyncIteratorProtocol {
    let client: MultiStoreClient
    let page: @Sendable (ScanCursor) -> StoreCommand<ScanPage<Element>>
    private var cursor = ScanCursor.start
    private var elements: ArraySlice<Element> = []
    private var isLastPage = false

    init(client: MultiStoreClient, page: @escaping @Sendable (ScanCursor) -> StoreCommand<ScanPage<Element>>) {
      self.client = client
      self.page = page
    }

    /// The next element, asking for the next page where this one is used up; nil after the last.
    ///
    /// - Throws: ``MultiStoreError``.
    public mutating func next() async throws(MultiStoreError) -> Element? {
      while elements.isEmpty {
        if isLastPage { return nil }
        let found = try await client.send(page(cursor))
        elements = found.elements[...]
        cursor = found.cursor
        isLastPage = cursor.isEnd
      }
      return elements.removeFirst()
    }
  }
}
