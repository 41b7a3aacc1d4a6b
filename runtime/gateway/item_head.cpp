#include "runtime/gateway/item_head.hpp"

namespace gnomon {

std::string field_value(std::string_view text, std::string_view otherwise) {
  std::string result;
  for (auto c : text)
    if (static_cast<uint8_t>(c) >= 0x20 && c != 0x7F)
      result += c;
  return result.empty() ? std::string{otherwise} : result;
}

header_list item_headers(const item_versions& item) {
  header_list headers{{"ETag", item.versions.etag()},
                      {"Cache-Control", "no-cache"}, // whoever keeps the answer asks before using it again
                      {"Gnomon-Context", item.versions.context.to_text()},
                      {"Gnomon-Served-By", field_value(item.served_by)},
                      {"Gnomon-Copy", std::string{name(item.copy)}}};
  if (item.versions.siblings.size() > 1)
    headers.emplace_back("Vary", "Accept");
  if (item.stale)
    headers.emplace_back("Gnomon-Stale", "true");
  return headers;
}

std::string render_head(const item_versions& item) {
  const auto& siblings = item.versions.siblings;
  if (siblings.size() != 1 || siblings.front().deleted || item.values.size() != 1 || !item.values.front())
    return {};
  std::string head = "HTTP/1.1 200 OK\r\nContent-Type: ";
  head += field_value(siblings.front().content_type, "application/octet-stream");
  head += "\r\nContent-Length: " + std::to_string(item.values.front().size()) + "\r\nAccept-Ranges: bytes\r\n";
  for (const auto& [field, value] : item_headers(item))
    head.append(field).append(": ").append(value).append("\r\n");
  return head;
}

} // namespace gnomon
