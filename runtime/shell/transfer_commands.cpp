#include "runtime/shell/command.hpp"
#include "runtime/shell/item_line.hpp"
#include "runtime/shell/line_file.hpp"
#include "runtime/shell/request_window.hpp"

#include <spdlog/fmt/fmt.h>

namespace gnomon::shell {

namespace {

constexpr size_t max_line_bytes = 96u << 20; // a value of 64 MiB in base64, and room

// -- import -----------------------------------------------------------------------------------------------------------

class importer {
public:
  importer(session_context& context, const arguments& args)
      : node_(context.patient_node()), tally_(context, "imported", context.to.out),
        window_(tally_, window_from(args), [this](const auto& asked, auto receipt) { note(asked, receipt); }),
        reader_(args.positional[0], max_line_bytes) {}

  int run() {
    auto stopped = window_.run([this] {
      while (!window_.interrupted() && reader_.next(line_))
        take_line();
    });
    if (!stopped.empty())
      stopped += fmt::format("; the last line that was read is line {}", number_);
    return tally_.finish(stopped, {{"expired", expired_}});
  }

private:
  void take_line() {
    ++number_;
    if (line_.find_first_not_of(" \t") == line_.npos && !reader_.too_long())
      return;
    try {
      if (reader_.too_long())
        throw bad_line{"the line is too long"};
      begin(read_line(line_));
    } catch (const bad_line& e) {
      tally_.bad(here(), e.what());
    }
    if (window_.idle())
      tally_.show(reader_.progress());
  }

  /// What has expired since it was exported must not end what is there now.
  static void leave_out_expired(std::vector<item_version>& versions) {
    // In milliseconds, because a year behind 2262 has no nanoseconds: it would count as past.
    const auto now = std::chrono::time_point_cast<time_point::duration>(std::chrono::system_clock::now());
    std::erase_if(versions, [&](const item_version& v) { return v.expires != time_point{} && v.expires <= now; });
  }

  /// The first version replaces what is there; the others are siblings, which may be written only after it.
  void begin(item x) {
    leave_out_expired(x.versions);
    expired_ += x.versions.empty() ? 1 : 0;
    for (size_t i = 0; i < x.versions.size() && failed_ != number_; ++i) {
      auto& v = x.versions[i];
      put_options options;
      options.user = v.user;
      if (!v.content_type.empty())
        options.content_type = v.content_type;
      options.expires = v.expires;
      options.replace = i == 0;
      window_.begin({here(), v.value.size(), reader_.progress(), x.id},
                    [&] { return node_.put_later(x.id, std::move(v.value), options); });
      if (i == 0 && x.versions.size() > 1)
        window_.settle_all();
    }
  }

  void note(const work_item& asked, const std::optional<put_receipt>& receipt) {
    if (receipt)
      tally_.good(asked.bytes);
    else if (asked.name == here())
      failed_ = number_;
  }

  std::string here() const {
    return fmt::format("line {}", number_);
  }

  client& node_;
  tally tally_;
  request_window<put_receipt> window_;
  input_file reader_;
  std::string line_;
  uint64_t number_ = 0;
  uint64_t failed_ = 0; // the last line of which a version could not be written
  uint64_t expired_ = 0;
};

int import_items(session_context& context, const arguments& args) {
  return importer{context, args}.run();
}

// -- export -----------------------------------------------------------------------------------------------------------

class exporter {
public:
  exporter(session_context& context, const arguments& args)
      : node_(context.patient_node()),
        tally_(context, "exported", is_standard_output(args.positional[0]) ? context.to.err : context.to.out),
        window_(tally_, window_from(args), [this](const auto&, auto found) { keep(found); }),
        prefix_(args.get("--prefix")), writer_(args.positional[0]) {}

  int run() {
    auto stopped = window_.run(
        [this] { window_.walk(node_, prefix_, false, [this](const auto& id) { return node_.held_later(id); }); },
        [this] { writer_.finish(); });
    if (!stopped.empty())
      stopped += writer_.remains();
    return tally_.finish(stopped);
  }

private:
  using found_item = std::optional<item>; // nothing when it was deleted in between

  void keep(const std::optional<found_item>& got) {
    if (!got || !*got)
      return;
    auto line = write_line(**got);
    writer_.write(line);
    tally_.good(line.size());
  }

  client& node_;
  tally tally_;
  request_window<found_item> window_;
  std::string prefix_;
  output_file writer_;
};

int export_items(session_context& context, const arguments& args) {
  context.to.out.flush();
  return exporter{context, args}.run();
}

command import_command() {
  return {
      .name = "import",
      .synopsis = "FILE",
      .summary = "write many items from a file, replacing those that exist",
      .details = R"(  Newline-delimited JSON, plain or gzip; - is standard input. Each line is an object:
    {"id": "news/1", "value": "aGVsbG8=", "content_type": "text/plain", "user": "u1"}
  value is base64; "text" may stand in its place. Lines that fail are reported with their numbers, and the
  status is then 1. Lines for one id are written in their order. Expired lines are skipped and counted.
  An import is safe to repeat: it writes the same values again.
)",
      .options = {in_flight_option},
      .least = 1,
      .most = 1,
      .offers = {offer::files},
      .run = import_items,
  };
}

command export_command() {
  return {
      .name = "export",
      .synopsis = "FILE",
      .summary = "write the items that this node holds to a file",
      .details =
          R"(  Writes the lines that import reads. A name that ends in .gz is compressed; - is standard output. The output is
  FILE.part until it is whole, and then becomes FILE. A pipe or a device is written into.
)",
      .options = {{"--prefix", "PREFIX", "only ids that begin so"}, in_flight_option},
      .least = 1,
      .most = 1,
      .offers = {offer::files},
      .run = export_items,
  };
}

} // namespace

std::vector<command> transfer_commands() {
  return {import_command(), export_command()};
}

} // namespace gnomon::shell
