#pragma once

#include "runtime/node/config.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// The one table of config keys: how each is read, what it allows, how it is written. Inside `config.cpp` and its tests
/// only.
namespace gnomon {

/// A value of a TOML file, without its place in the file.
using config_value =
    std::variant<bool, int64_t, double, std::string, std::vector<std::string>, std::map<std::string, std::string>>;

struct config_key {
  std::string_view section;
  std::string_view name;
  std::string allowed; // completes "must be ..."
  /// Puts the value into the config. False when it is not allowed.
  std::function<bool(node_config&, const config_value&)> set;
  std::function<std::string(const node_config&)> text;
  bool reloadable = false; // SIGHUP puts a new value in force
};

const std::vector<config_key>& config_keys();
const config_key* find_config_key(std::string_view section, std::string_view name);
/// "[section] knows a, b and c", or the sections when there is none of that name.
std::string known_keys(std::string_view section);

/// A sentence about a key that does not exist: the one that was probably meant, or those that the section knows.
std::string unknown_key(std::string_view section, std::string_view name);

} // namespace gnomon
