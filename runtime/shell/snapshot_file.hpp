#pragma once

#include "gnomon/snapshot.hpp"
#include "runtime/shell/line_file.hpp"

#include <string>

/// Snapshots as files, plain or gzip; "-" is standard input or output. Errors are thrown as std::runtime_error with a
/// sentence that names the file.
namespace gnomon::shell {

/// Writes entries as `output_file` does.
class snapshot_writer {
public:
  snapshot_writer(const std::string& file, const snapshot_heading& heading);
  void add_item(const std::string& entry);
  void add_policies(const std::string& entry);
  /// Writes the end, makes sure that the file is on disk, and gives it its name.
  void finish();
  std::string remains() const {
    return file_.remains();
  }

private:
  void add(const std::string& entry);
  output_file file_;
  snapshot_end so_far_;
};

/// Reads entries and checks each, until the end, which must name as many as there were.
class snapshot_reader {
public:
  explicit snapshot_reader(const std::string& file);
  /// The next item or list of policies; false when the whole file was read. Throws where the file is damaged or cut
  /// short.
  bool next();
  const std::string& entry() const {
    return entry_;
  }
  const snapshot_part& part() const {
    return part_;
  }
  const snapshot_heading& heading() const {
    return heading_;
  }
  /// What was read so far.
  const snapshot_end& count() const {
    return so_far_;
  }
  double progress() const {
    return file_.progress();
  }

private:
  void read();
  [[noreturn]] void fail(const std::string& what) const;
  std::string name_;
  input_file file_;
  std::string entry_;
  snapshot_part part_;
  snapshot_heading heading_;
  snapshot_end so_far_;
  uint64_t number_ = 0;
};

} // namespace gnomon::shell
