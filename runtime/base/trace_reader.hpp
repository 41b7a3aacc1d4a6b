#pragma once

#include "runtime/base/access_log.hpp"
#include "runtime/base/access_reader.hpp"
#include "runtime/base/csv.hpp"

#include <array>
#include <deque>
#include <memory>
#include <optional>

/// The one reader of traces: files with reads that happened.
namespace gnomon {

/// A line that was skipped, with the reason.
struct complaint {
  uint64_t line = 0;
  std::string reason;
};

/// What a trace contained beside its reads.
struct trace_counts {
  uint64_t lines = 0;
  uint64_t malformed = 0; // lines that could not be understood, and the first few of them
  std::vector<complaint> complaints;
  uint64_t other_methods = 0, redirected = 0, failed = 0; // requests of an access log that are no reads

  void complain(uint64_t line, std::string reason);
  uint64_t no_reads() const {
    return other_methods + redirected + failed;
  }
  /// For instance "3 have another method than GET, 2 were redirected"; empty without any.
  std::string no_reads_in_words() const;
};

/// Reads a trace, plain or gzip, in one of these formats, which its content tells:
///   CSV          the first line names the columns, in any order: t (or time, timestamp), user (or user_id), item (or
///                data_id), and optionally region; other columns are ignored. Without such a line: t,user,region,item
///   JSON         as `access_reader` takes it
///   access log   as `parse_access_log_line` takes it
/// A time is a number as `trace_seconds` takes it, or a text as in RFC 3339. Lines that cannot be understood are
/// counted and skipped. Not thread-safe.
class trace_reader {
public:
  /// Reads the first `limit` lines only; 0: all. Errors: not_found.
  static expected<std::unique_ptr<trace_reader>> open(const std::string& file, uint64_t limit = 0);

  /// The next read. Nothing at the end, or where the file cannot be read further.
  std::optional<raw_read> next();
  /// Call it after the last read. Errors: bad_message (the file is damaged; says how far it was read), invalid_argument
  /// (it has no read; says why).
  caf::error problem() const;

  /// The line, or the element of a JSON array, of the read that `next` returned last.
  uint64_t line() const {
    return line_;
  }
  const trace_counts& counts() const {
    return counts_;
  }
  bool is_access_log() const {
    return kind_ == format::access_log;
  }
  double progress() const {
    return lines_->progress();
  }

private:
  enum class format { unknown, csv, json, access_log };
  enum column : size_t { time, user, region, item, column_count };
  /// Where the columns are; `absent` for missing ones.
  struct layout {
    std::array<size_t, column_count> at{0, 1, 2, 3};
    size_t count = 4;
  };
  static constexpr size_t absent = SIZE_MAX;

  explicit trace_reader(std::unique_ptr<line_reader> lines) : lines_(std::move(lines)), records_(*lines_) {}
  std::optional<raw_read> next_of_json();
  std::optional<raw_read> next_of_lines();
  void read_json();
  format format_of(const std::string& line);
  std::optional<parsed_line> parse(const std::string& line);
  static column column_named(const std::string& field);
  static std::optional<layout> header_of(const std::vector<std::string>& fields);
  parsed_line read_of(std::vector<std::string>& fields) const;
  std::optional<raw_read> count(parsed_line parsed);

  std::unique_ptr<line_reader> lines_;
  csv_reader records_;
  uint64_t limit_ = 0;
  format kind_ = format::unknown;
  layout columns_;
  std::unique_ptr<access_reader> json_;
  std::deque<std::pair<raw_read, uint64_t>> waiting_; // of JSON, with their lines
  uint64_t line_ = 0, reads_ = 0;
  trace_counts counts_;
  std::string refusal_; // why the file as a whole cannot be used
  std::vector<std::string> fields_;
};

} // namespace gnomon
