#pragma once

#include "actors/messages/messages.hpp"
#include "gnomon/snapshot.hpp"

#include <string>
#include <string_view>
#include <vector>

/// The entries of a snapshot as bytes. Pure. Holders are left out, because those at the time of saving say nothing
/// about those at the time of loading.
namespace gnomon {

std::string to_entry(const item_copy& copy);
std::string to_entry(const std::vector<policy_entry>& policies);

/// Errors: bad_message for bytes that are damaged, cut short, of another kind, or of a format that this version cannot
/// read.
expected<item_copy> item_from_entry(std::string_view entry);
expected<std::vector<policy_entry>> policies_from_entry(std::string_view entry);
bool holds_policies(std::string_view entry);

} // namespace gnomon
