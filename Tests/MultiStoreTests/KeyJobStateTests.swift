internal import Testing

@testable internal import MultiStore

@Suite("States of a job")
struct KeyJobStateTests {
  @Test func `an obstacle makes it wait, and its end lets it go on`() {
    var state = KeyJobState.running
    state.met(.flip)
    #expect(state == .waiting(.flip))
    state.met(.storeUnavailable)
    #expect(state == .waiting(.storeUnavailable))
    state.met(nil)
    #expect(state == .running)
  }

  @Test func `a pause lasts until it is resumed, whatever is in the way`() throws {
    var state = KeyJobState.waiting(.dualWriteOff)
    try state.pause()
    state.met(nil)
    state.defaultStoreMoved()
    #expect(state == .paused(.operatorAsked))
    #expect(throws: KeyJobRefusal.alreadyPaused) { try state.pause() }
    try state.resume()
    #expect(state == .running)
    #expect(throws: KeyJobRefusal.notPaused) { try state.resume() }
  }

  @Test func `a move of the default store pauses it`() throws {
    var state = KeyJobState.running
    state.defaultStoreMoved()
    #expect(state == .paused(.defaultMoved))
    try state.pause()
    #expect(state == .paused(.operatorAsked))
  }

  @Test func `nothing changes it when it has ended`() {
    var state = KeyJobState.running
    state.end(.complete)
    state.met(.flip)
    state.defaultStoreMoved()
    #expect(state == .ended(.complete) && state.hasEnded)
  }
}

@Suite("Way of a job through the databases")
struct ScanCourseTests {
  private let found: [StoreRole: [Int: Int?]] = [.secondary: [0: 3, 2: 4], .primary: [0: 1]]

  @Test func `a backfill scans the default store, a verification both`() {
    var backfill = ScanCourse(of: .backfill, defaultStore: .secondary)
    #expect(backfill.place == nil)
    backfill.surveyed(found)
    #expect(backfill.expectedKeys == 7)
    var seen: [ScanCourse.Place] = []
    while let place = backfill.place {
      seen.append(place)
      backfill.pageEnded(backfill.pageBegan(next: KeyScan.start))
    }
    #expect(seen == [.init(database: 0, role: .secondary), .init(database: 2, role: .secondary)])
    var verification = ScanCourse(of: .verify, defaultStore: .secondary)
    verification.surveyed(found)
    #expect(verification.expectedKeys == 8)
    for _ in 0..<2 { _ = verification.pageBegan(next: KeyScan.start) }
    #expect(verification.place == .init(database: 0, role: .primary))
  }

  @Test func `the number of keys is unknown if a store does not tell`() {
    var course = ScanCourse(of: .backfill, defaultStore: .secondary)
    course.surveyed([.secondary: [0: nil], .primary: [0: 1]])
    #expect(course.expectedKeys == nil && course.place != nil)
  }

  @Test func `a page counts when it and all before it have ended, and the next process goes on there`() {
    var course = ScanCourse(of: .backfill, defaultStore: .secondary)
    course.surveyed(found)
    let pages = ["17", "5", "3"].map { course.pageBegan(next: Array($0.utf8)) }
    func position() -> String? { course.position.map { String(decoding: $0.cursor, as: UTF8.self) } }
    #expect(position() == "0" && course.cursor == Array("3".utf8))
    course.pageEnded(pages[1])
    #expect(position() == "0")
    course.pageEnded(pages[0])
    #expect(position() == "5")
    course.pageEnded(pages[2])
    #expect(position() == "3")
    var next = ScanCourse(of: .backfill, defaultStore: .secondary)
    next.surveyed(found)
    if let position = course.position { next.resume(at: position) }
    #expect(next.position == course.position)
  }

  @Test func `the position stays in a database until its last page has ended`() {
    var course = ScanCourse(of: .backfill, defaultStore: .secondary)
    course.surveyed(found)
    let last = course.pageBegan(next: KeyScan.start)
    #expect(course.place?.database == 2 && course.position?.place.database == 0)
    course.pageEnded(last)
    #expect(course.position?.place.database == 2)
  }

  @Test func `it begins anew with another default store`() {
    var course = ScanCourse(of: .backfill, defaultStore: .secondary)
    course.surveyed(found)
    course.restart(defaultStore: .primary)
    #expect(course.run == 1 && !course.isSurveyed && course.defaultStore == .primary)
  }
}

@Suite("Checkpoint of a job")
struct KeyJobCheckpointTests {
  @Test func `is the same after it was written and read`() throws {
    var request = KeyJobRequest(.verify)
    (request.pattern, request.type, request.rate, request.heals) = ("a *\n\u{0}", "hash", 7, true)
    var progress = KeyJobProgress(request, defaultStore: .primary, now: 1_000)
    progress.state = .paused(.operatorAsked)
    progress.versions = [.primary: "8.0.1", .secondary: "7.0.15"]
    progress.expectedKeys = 100
    progress.scannedKeys = 10
    progress.add(.missing, [1, 2], database: 0)
    progress.add(.failed, [3], database: 0, "OOM no memory\n")
    let place = ScanCourse.Place(database: 3, role: .primary)
    let checkpoint = KeyJobCheckpoint(
      progress: progress,
      position: ScanCourse.Position(place: place, cursor: Array("123".utf8)),
      runIDs: [.primary: "abc", .secondary: "def"]
    )
    let read = try #require(KeyJobCheckpoint(checkpoint.text))
    #expect(read == checkpoint)
    #expect(read.progress.findings.isEmpty && read.progress.count(.missing) == 1)
  }

  @Test(arguments: ["", "kind backfill", "kind nothing\nrate 5", "rubbish"])
  func `other texts are none`(text: String) {
    #expect(KeyJobCheckpoint(text) == nil)
  }
}
