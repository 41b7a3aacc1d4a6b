#define CAF_SUITE page
#include "runtime/report/page.hpp"

#include <caf/test/dsl.hpp>

#include <cmath>
#include <limits>
#include <regex>

using namespace gnomon;
using namespace gnomon::report;

namespace {

constexpr double nobody = std::numeric_limits<double>::quiet_NaN();

policy_row row(const std::string& name, double copies, double moved_usd, double mean_ms) {
  policy_row result;
  result.name = name;
  result.copies_per_item = copies;
  result.moved_usd = moved_usd;
  result.mean_ms = mean_ms;
  return result;
}

page_data small_page() {
  page_data page;
  page.title = "a & b";
  page.facts = {"<script>alert(1)</script>"};
  page.notes = {"\"quoted\""};
  page.policies = {row("origin", 1, 2, 90), row("full", 2.2, 0.5, 5)};
  page.policies[0].local_over_time = {0.3, nobody, 0.2};
  page.policies[1].local_over_time = {0.9, 0.95, 1};
  page.about = 1;
  page.bound = {row("", 1, 1, 1), row("", 2, 0.4, 1)};
  page.hours = 12;
  page.regions = {{"eu-central-1", place{50, 8.7}}, {"ap-northeast-1", place{35.7, 139.7}}, {"nowhere", std::nullopt}};
  page.flows = {{1, 0, 10}, {0, 1, 3e9}, {0, 2, 5}};
  page.items = {{"good", 10, 5, 3, 1}, {"<b>bad\x1b", 1e6, 1, 0, 2}};
  return page;
}

/// Every element that is opened is closed, in the right order.
bool well_formed(const std::string& html) {
  static const std::regex tag{"<(/?)([a-z][a-z0-9]*)[^>]*?(/?)>"};
  std::vector<std::string> open;
  for (std::sregex_iterator at(html.begin(), html.end(), tag), end; at != end; ++at) {
    const auto name = (*at)[2].str();
    if (name == "meta" || !(*at)[3].str().empty())
      continue;
    if ((*at)[1].str().empty())
      open.push_back(name);
    else if (open.empty() || std::exchange(open.back(), {}) != name)
      return false;
    else
      open.pop_back();
  }
  return open.empty();
}

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++found;
  return found;
}

} // namespace

CAF_TEST(nothing_in_a_text_becomes_markup) {
  CAF_CHECK_EQUAL(escaped("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
  CAF_CHECK_EQUAL(escaped("a\x1b[2J\xff"), "a\\x1B[2J\\xFF");
  CAF_CHECK_EQUAL(shortened("größer", 3), "grö…");
  CAF_CHECK_EQUAL(shortened("abc", 3), "abc");
}

CAF_TEST(the_page_is_whole_and_loads_nothing) {
  const auto html = to_html(small_page());
  CAF_CHECK(well_formed(html));
  for (auto part : {"<script", "http:", "https:", "src=", "@import", "<b>bad", "nan", "inf"})
    CAF_CHECK_EQUAL(count(html, part), 0u);
  for (auto part : {"a &amp; b", "&lt;script&gt;", "&lt;b&gt;bad", "prefers-color-scheme:dark", "&quot;quoted&quot;"})
    CAF_CHECK_GREATER(count(html, part), 0u);
  CAF_CHECK_LESS(html.size(), 100'000u);
}

CAF_TEST(each_drawing_has_a_title_and_each_chart_a_table) {
  const auto html = to_html(small_page());
  CAF_CHECK_EQUAL(count(html, "<svg viewBox"), 8u); // four drawings, for wide and for narrow windows
  CAF_CHECK_EQUAL(count(html, "role=\"img\" aria-label=\""), 8u);
  CAF_CHECK_EQUAL(count(html, "<caption>"), 4u);
  CAF_CHECK_EQUAL(count(html, "<details>"), 1u);
}

CAF_TEST(items_that_earned_and_items_that_wasted_stand_apart) {
  const auto html = to_html(small_page());
  const auto wasted = html.find("wasted most");
  CAF_CHECK_LESS(html.find(">good<"), wasted);
  CAF_CHECK(html.find("bad\\x1B", wasted) != std::string::npos);
}

CAF_TEST(no_figures_at_all_make_a_page_too) {
  page_data empty;
  empty.policies = {row("origin", 1, 0, 0)};
  const auto html = to_html(empty);
  CAF_CHECK(well_formed(html));
  CAF_CHECK_EQUAL(count(html, "nan"), 0u);
}

CAF_TEST(labels_keep_out_of_one_another_where_there_is_room) {
  label_room room{{720, 300}};
  room.block(100, 100, 6);
  CAF_CHECK(room.place(100, 100, "first", "name") != room.place(100, 100, "first", "name"));
  // At the right edge a label goes to the left.
  const auto text = room.place(715, 200, "a long name", "name");
  CAF_CHECK_LESS(std::stod(text.substr(text.find("x=\"") + 3)), 715 - text_width("a long name"));
}

CAF_TEST(an_arc_over_the_date_line_is_drawn_at_both_edges) {
  const std::vector<map_region> regions{{"tokyo", place{35, 140}}, {"virginia", place{39, -77}}};
  CAF_CHECK_EQUAL(count(draw_map(regions, {{0, 1, 1}}, 720), "class=\"flow\""), 2u);
  const std::vector<map_region> near{{"frankfurt", place{50, 9}}, {"virginia", place{39, -77}}};
  CAF_CHECK_EQUAL(count(draw_map(near, {{0, 1, 1}}, 720), "class=\"flow\""), 1u);
}

CAF_TEST(axes_are_marked_at_round_numbers) {
  const chart c{"t", {.name = "x"}, {.name = "y"}, {{"s", {{3, 7}}}, {"r", {{4.4, 9}}}}};
  const auto svg = draw(c, {720, 400});
  for (auto tick : {">0<", ">2<", ">4<", ">10<"})
    CAF_CHECK_GREATER(count(svg, tick), 0u);
}
