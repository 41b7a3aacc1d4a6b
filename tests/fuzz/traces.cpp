// Traces in each of their formats, plain or gzip, and single lines of access logs.
#include "runtime/base/access_log.hpp"
#include "runtime/base/trace_reader.hpp"
#include "tests/fuzz/memory_file.hpp"
#include "tests/fuzz/target.hpp"

namespace gnomon::fuzz {
namespace {

void read(std::string_view input) {
  parse_access_log_line(input);
  looks_like_access_log(input);
  const memory_file file{input};
  auto reader = trace_reader::open(file.name());
  if (!reader)
    return;
  uint64_t reads = 0;
  while (auto next = (*reader)->next()) {
    require(next->t >= 0 && !next->item.empty(), "a read has a time and an item");
    ++reads;
  }
  const auto& counts = (*reader)->counts();
  require(reads <= input.size() * 2000, "no more reads than there is room for"); // deflate makes at most 1032 of one
  counts.no_reads_in_words();
  (*reader)->problem();
}

std::vector<std::string> examples() {
  return {"t,user,region,item\n1,u,eu,a\n2.5,v,us,\"b,c\"\n",
          "time,data_id,user_id,other\n2024-05-01T12:00:00Z,a,u,x\n\"2024-05-01 14:00:00+02:00\",\"a\"\"\nb\",u,\n",
          "{\"user_id\":\"u\",\"data_id\":\"a\",\"timestamp\":1700000000}\n[",
          "[{\"user_id\":\"u\",\"data_id\":\"a\",\"timestamp\":1700000000}]",
          "83.149.9.216 - - [17/May/2015:10:05:03 +0000] \"GET /a/b?c HTTP/1.1\" 200 203023 \"http://x/\" \"Mozilla\"\n"
          "www.x.org:80 1.2.3.4 - u [17/May/2015:10:05:03 -0730] \"HEAD /a HTTP/1.1\" 301 - \"-\" \"-\"\n"};
}

const listed this_target{"traces", read, examples};

} // namespace
} // namespace gnomon::fuzz
