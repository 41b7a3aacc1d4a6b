#pragma once

#include <string_view>

namespace gnomon::report {

/// The page's style sheet. Colours are those of Okabe and Ito (2008), which people with any colour vision tell apart;
/// shapes, dashes and names say the same.
extern const std::string_view style;

/// Arrow heads, for all drawings of a page.
extern const std::string_view markers;

} // namespace gnomon::report
