#include "learning/history/trace_file.hpp"

#include "runtime/base/trace_reader.hpp"

namespace gnomon::learning {

expected<trace_file> read_trace(const std::string& path) {
  auto reader = trace_reader::open(path);
  if (!reader)
    return reader.error();
  trace_file result;
  log_builder builder;
  while (auto read = (*reader)->next())
    result.bad_lines += builder.add(read->user, read->item, read->region, static_cast<uint32_t>(read->t)) ? 0 : 1;
  if (auto problem = (*reader)->problem())
    return problem;
  result.bad_lines += (*reader)->counts().malformed;
  for (uint32_t k = 0; k < builder.regions().size(); ++k)
    result.regions.emplace_back(builder.regions().name(k));
  result.log = builder.take(true);
  return result;
}

} // namespace gnomon::learning
