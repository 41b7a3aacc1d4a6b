// docs/protocol.md names every message type and atom of actors/messages/type_ids.hpp once, and nothing else.
#define CAF_SUITE protocol_table
#include <caf/test/dsl.hpp>

#include <algorithm>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace {

using names = std::multiset<std::string>;

std::string text_of(const std::string& file) {
  std::ifstream in{GNOMON_SOURCE + ("/" + file)};
  std::ostringstream text;
  text << in.rdbuf();
  if (text.str().empty())
    CAF_FAIL(file << " cannot be read");
  return text.str();
}

/// The first group of each match.
names find_all(const std::string& text, const std::regex& pattern) {
  names found;
  for (std::sregex_iterator i{text.begin(), text.end(), pattern}, end; i != end; ++i)
    found.insert((*i)[1]);
  return found;
}

names registered() {
  auto header = text_of("actors/messages/type_ids.hpp");
  auto types = find_all(header, std::regex{R"(CAF_ADD_TYPE_ID\(gnomon, \(gnomon::(\w+)\)\))"});
  types.merge(find_all(header, std::regex{R"(CAF_ADD_ATOM\(gnomon, gnomon, (\w+),)"}));
  return types;
}

names documented() {
  return find_all(text_of("docs/protocol.md"), std::regex{R"(\n\| `(\w+)` \|)"});
}

} // namespace

CAF_TEST(every_message_type_and_atom_is_documented_once) {
  auto rows = documented();
  for (const auto& type : registered())
    if (rows.count(type) != 1)
      CAF_ERROR("docs/protocol.md has " << rows.count(type) << " rows for " << type << "; give it one");
}

CAF_TEST(the_table_names_no_message_that_does_not_exist) {
  auto types = registered();
  CAF_REQUIRE(types.size() > 50);
  for (const auto& row : documented())
    if (types.count(row) == 0)
      CAF_ERROR("docs/protocol.md has a row for " << row
                                                  << ", which actors/messages/type_ids.hpp does not have; remove it");
}

CAF_TEST(every_row_has_all_its_columns) {
  std::istringstream lines{text_of("docs/protocol.md")};
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("| "))
      CAF_CHECK_EQUAL(line + " has " + std::to_string(std::count(line.begin(), line.end(), '|')) + " bars",
                      line + " has 7 bars");
}
