#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gnomon {

/// What somebody may do. Each role includes those before it.
enum class role : uint8_t {
  none,  // what everybody may: see whether the node is well
  read,  // read items, lists and reports
  write, // change items
  admin, // change policies, nodes and models
};
std::string_view name(role what); // "none", "read", "write", "admin"
std::optional<role> role_from(std::string_view text);

/// Who asks, and what they may do.
struct grant {
  std::string who; // for the audit: "token deploy", "certificate reports", "anyone"
  role may = role::none;
  std::vector<std::string> types = {}; // of items; empty: all

  bool has(role needed) const {
    return may >= needed;
  }
  /// Items of that data type are within it.
  bool covers(std::string_view type) const;
};

using grant_ptr = std::shared_ptr<const grant>;

/// Reads "NAME = ROLE" or "NAME = ROLE TYPE TYPE...", as the config names clients. Nothing for other text.
struct named_grant {
  std::string name;
  grant rights;
};
std::optional<named_grant> parse_named_grant(std::string_view text);

/// True for what can be a data type of a grant: 1 to 256 bytes without blank, comma, slash and control character.
bool is_data_type(std::string_view text);

} // namespace gnomon
