#include "runtime/report/page.hpp"

#include "runtime/report/style.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <fstream>
#include <functional>

namespace gnomon::report {

namespace {

constexpr size_t listed_items = 10, name_length = 60;

std::string usd(double value) {
  return fmt::format("{:.4f}", value);
}

std::string in_bytes(double bytes) {
  for (auto [unit, size] : {std::pair{"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}})
    if (bytes >= size)
      return fmt::format("{:.3g} {}", bytes / size, unit);
  return fmt::format("{:.0f} B", bytes);
}

/// Drawn twice: a narrow window would make the text of the wide one too small to read.
std::string both(const std::function<std::string(double width)>& draw) {
  return "<div class=\"wide\">" + draw(720) + "</div><div class=\"narrow\">" + draw(350) + "</div>";
}

// -- tables -----------------------------------------------------------------------------------------------------------

/// The first column is text, the others are numbers. Cells are HTML.
std::string table(std::string_view caption, const std::vector<std::string>& heads,
                  const std::vector<std::vector<std::string>>& rows) {
  auto html = fmt::format("<div class=\"scroll\" tabindex=\"0\"><table><caption>{}</caption><thead><tr>", caption);
  for (const auto& head : heads)
    html += "<th scope=\"col\">" + head + "</th>";
  html += "</tr></thead><tbody>";
  for (const auto& row : rows) {
    html += "<tr>";
    for (size_t k = 0; k < row.size(); ++k)
      html += k == 0 ? "<th scope=\"row\">" + row[k] + "</th>" : "<td>" + row[k] + "</td>";
    html += "</tr>";
  }
  return html + "</tbody></table></div>\n";
}

std::vector<std::string> cells_of(const policy_row& p, bool strong) {
  auto name = escaped(p.name);
  return {strong ? "<strong>" + name + "</strong>" : name,
          fmt::format("{:.2f}", 100 * p.local_share),
          fmt::format("{:.1f}", p.mean_ms),
          fmt::format("{:.1f}", p.p50_ms),
          fmt::format("{:.1f}", p.p95_ms),
          fmt::format("{:.1f}", p.p99_ms),
          fmt::format("{:.2f}", p.copies_per_item),
          usd(p.moved_usd),
          usd(p.stored_usd),
          usd(p.latency_usd),
          usd(p.total_usd())};
}

std::string policy_table(const page_data& what) {
  std::vector<std::vector<std::string>> rows;
  for (size_t k = 0; k < what.policies.size(); ++k)
    rows.push_back(cells_of(what.policies[k], k == what.about));
  return table("All figures. Dollars are for a million reads.",
               {"policy", "local %", "mean ms", "p50", "p95", "p99", "copies an item", "$ moved", "$ stored",
                "$ waiting", "$ total"},
               rows);
}

std::string flow_table(const page_data& what) {
  std::vector<std::vector<std::string>> rows;
  for (size_t k = 0; k < std::min(what.flows.size(), drawn_flows); ++k) {
    const auto& f = what.flows[k];
    rows.push_back({k < numbered_flows ? std::to_string(k + 1) : "", escaped(what.regions[f.from].name),
                    escaped(what.regions[f.to].name), in_bytes(f.bytes)});
  }
  return "<details><summary>As a table</summary>"
         + table(escaped(what.flow_name) + ", the most first.", {"no.", "from", "to", "moved"}, rows) + "</details>";
}

std::string item_table(std::string_view caption, const page_data& what, const std::vector<item_row>& items) {
  auto millionths = [](double usd) { return fmt::format("{:.4g}", 1e6 * usd); };
  const double most = items.empty() ? 0 : std::abs(items[0].earned_usd());
  std::vector<std::vector<std::string>> rows;
  for (const auto& i : items)
    rows.push_back({escaped(shortened(i.name, name_length)),
                    fmt::format("{} <span class=\"bar\" style=\"width:{:.1f}em\"></span>", millionths(i.earned_usd()),
                                most > 0 ? 3 * std::abs(i.earned_usd()) / most : 0),
                    std::to_string(i.reads), in_bytes(i.bytes), millionths(i.without_usd), millionths(i.with_usd)});
  return table(caption, {"item", "earned", "reads", "size", what.item_heads.first, what.item_heads.second}, rows);
}

// -- charts -----------------------------------------------------------------------------------------------------------

chart against_copies(const page_data& what, std::string title, axis y, double (*value)(const policy_row&)) {
  chart result{std::move(title), {.name = "copies an item, mean over time", .from_zero = false}, std::move(y), {}};
  if (!what.bound.empty()) {
    auto& bound = result.all.emplace_back(series{"clairvoyant", {}, no_shape});
    for (const auto& p : what.bound)
      bound.points.push_back({p.copies_per_item, value(p)});
  }
  for (size_t k = 0; k < what.policies.size(); ++k)
    result.all.push_back(
        {what.policies[k].name, {{what.policies[k].copies_per_item, value(what.policies[k])}}, k, k == what.about});
  return result;
}

chart over_time(const page_data& what) {
  const bool days = what.hours > 72;
  const double span = days ? what.hours / 24 : what.hours;
  chart result{"Share of local reads over time",
               {.name = days ? "days of the measured time" : "hours of the measured time", .most = span},
               {.name = "local reads, %", .most = 100},
               {}};
  for (size_t k = 0; k < what.policies.size(); ++k) {
    const auto& shares = what.policies[k].local_over_time;
    auto& line = result.all.emplace_back(series{what.policies[k].name, {}, k, k == what.about});
    for (size_t slice = 0; slice < shares.size(); ++slice)
      line.points.push_back(
          {(static_cast<double>(slice) + 0.5) * span / static_cast<double>(shares.size()), 100 * shares[slice]});
  }
  std::erase_if(result.all, [](auto& line) { return line.points.empty(); });
  return result;
}

std::string figure(std::string_view heading, std::string_view text, const std::string& content) {
  return fmt::format("<section><h2>{}</h2><p>{}</p>{}</section>\n", heading, text, content);
}

std::string cost_figures(const page_data& what) {
  const auto cost = against_copies(what, "Dollars for a million reads against copies an item",
                                   {.name = "$ for a million reads", .logarithmic = true},
                                   [](const policy_row& p) { return p.total_usd(); });
  const auto wait =
      against_copies(what, "Mean latency against copies an item", {.name = "mean latency, ms", .logarithmic = true},
                     [](const policy_row& p) { return p.mean_ms; });
  auto drawn = [](const chart& c) { return both([&](double width) { return draw(c, {width, 0.3 * width + 200}); }); };
  const std::string bound = what.bound.empty()
                                ? ""
                                : " The line is the clairvoyant, who knows every read before it happens: "
                                  "nobody can be below it.";
  return figure("Cost", "Moving, storing and waiting together. Lower is better." + bound, drawn(cost))
         + figure("Latency", "What readers wait on average. Lower is better." + bound, drawn(wait));
}

std::string time_figure(const page_data& what) {
  const auto lines = over_time(what);
  if (lines.all.empty())
    return {};
  return figure("Local reads over time", "Reads that a copy in the reader's own region answered.",
                both([&](double width) {
                  return draw(lines, {width, 0.3 * width + 200});
                }));
}

std::string map_figure(const page_data& what) {
  if (what.flows.empty())
    return {};
  auto text = escaped(what.flow_name) + " under “" + escaped(what.policies[what.about].name)
              + "”. The wider the arc, the more; arcs bend to the left of their direction.";
  return figure("Between regions", text,
                both([&](double width) { return draw_map(what.regions, what.flows, width); }) + flow_table(what));
}

std::string item_figures(const page_data& what) {
  if (what.items.empty())
    return {};
  auto sorted = what.items;
  std::stable_sort(sorted.begin(), sorted.end(), [](auto& a, auto& b) { return a.earned_usd() > b.earned_usd(); });
  auto worst = sorted;
  std::reverse(worst.begin(), worst.end());
  std::erase_if(sorted, [](auto& i) { return i.earned_usd() <= 0; });
  std::erase_if(worst, [](auto& i) { return i.earned_usd() >= 0; });
  sorted.resize(std::min(sorted.size(), listed_items));
  worst.resize(std::min(worst.size(), listed_items));
  return figure("Items whose copies earned most",
                "Moving, storing and waiting together, with and without copies beyond the durable ones.",
                item_table("The ten that earned most, in millionths of a dollar.", what, sorted))
         + figure("Items whose copies wasted most", "Copies that cost more than they saved.",
                  item_table("The ten that wasted most, in millionths of a dollar.", what, worst));
}

} // namespace

std::string to_html(const page_data& given) {
  auto what = given;
  std::stable_sort(what.flows.begin(), what.flows.end(), [](auto& a, auto& b) { return a.bytes > b.bytes; });
  auto html = fmt::format("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title>"
                          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
                          "<style>{1}</style></head>\n<body>{2}<main><header><h1>{0}</h1>",
                          escaped(what.title), style, markers);
  for (const auto& fact : what.facts)
    html += "<p>" + escaped(fact) + "</p>";
  html += "</header>\n<div class=\"figures\">" + cost_figures(what) + time_figure(what) + map_figure(what)
          + item_figures(what) + "</div>\n<section>" + policy_table(what) + "</section>";
  if (!what.notes.empty())
    html += "<section><h2>Notes</h2><ul>";
  for (const auto& note : what.notes)
    html += "<li>" + escaped(note) + "</li>";
  html += what.notes.empty() ? "" : "</ul></section>";
  return html + "</main></body></html>\n";
}

caf::error write_html(const std::string& file, const page_data& what) {
  std::ofstream out(file, std::ios::trunc);
  out << to_html(what) << std::flush;
  if (!out)
    return make_error(ec::store_failed, "cannot write " + file);
  return {};
}

} // namespace gnomon::report
