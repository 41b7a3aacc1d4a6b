// docs/capabilities.md names every way in, and nothing else.
#define CAF_SUITE capabilities
#include <caf/test/dsl.hpp>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace {

using names = std::set<std::string>;

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in{file};
  std::ostringstream text;
  text << in.rdbuf();
  if (text.str().empty())
    CAF_FAIL(file.string() << " cannot be read");
  return text.str();
}

const std::filesystem::path source{GNOMON_SOURCE};

/// The first group of each match.
names find_all(const std::string& text, const std::string& pattern) {
  std::regex expression{pattern};
  names found;
  for (std::sregex_iterator i{text.begin(), text.end(), expression}, end; i != end; ++i)
    found.insert((*i)[1]);
  return found;
}

/// What stands in one column of the first table, counted from 1.
names documented(size_t column) {
  auto page = text_of(source / "docs/capabilities.md");
  std::istringstream lines{page.substr(0, page.find("## One thing"))};
  names found;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| "))
      continue;
    std::istringstream cells{line.substr(1)};
    std::string cell;
    for (size_t i = 0; i <= column; ++i)
      std::getline(cells, cell, '|');
    found.merge(find_all(cell, "`([^`]+)`"));
  }
  return found;
}

names served() {
  auto header = text_of(source / "runtime/gateway/routes.hpp");
  std::regex row{R"re(\{endpoint::\w+, "([^"]+)", "([^"]+)", role)re"};
  names found;
  for (std::sregex_iterator i{header.begin(), header.end(), row}, end; i != end; ++i)
    for (const auto& method : find_all((*i)[2], "([A-Z]+)"))
      if (method != "HEAD")
        found.insert(method + " " + (*i)[1].str());
  return found;
}

names commands() {
  names found;
  for (const auto& file : std::filesystem::directory_iterator{source / "runtime/shell"})
    if (file.path().extension() == ".cpp")
      found.merge(find_all(text_of(file), R"re(\.name = "([^"]+)")re"));
  return found;
}

names functions() {
  names found;
  for (const auto* header : {"client.hpp", "watch.hpp"})
    found.merge(find_all(text_of(source / "runtime/include/gnomon" / header), R"(\b(\w+)_later\()"));
  found.insert({"train", "save_policies"});
  return found;
}

names messages() {
  auto header = text_of(source / "runtime/include/gnomon/actors.hpp");
  auto begin = header.find("namespace api {");
  return find_all(header.substr(begin, header.find("} // namespace api") - begin), R"(\nstruct (\w+) )");
}

void check_equal(const names& in_code, const names& in_table, const std::string& what) {
  CAF_CHECK(in_code.size() > 10);
  for (const auto& name : in_code)
    if (in_table.count(name) == 0)
      CAF_ERROR("docs/capabilities.md lacks the " << what << " " << name);
  for (const auto& name : in_table)
    if (in_code.count(name) == 0)
      CAF_ERROR("docs/capabilities.md names the " << what << " " << name << ", which does not exist");
}

} // namespace

CAF_TEST(every_endpoint_command_function_and_message_has_its_place) {
  check_equal(served(), documented(1), "endpoint");
  check_equal(commands(), documented(2), "command");
  check_equal(functions(), documented(3), "function");
  check_equal(messages(), documented(4), "message");
}
