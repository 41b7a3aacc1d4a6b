#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gnomon {

/// `text` as a terminal and a log may have it. What they could obey becomes \xNN, byte by byte: control characters (C0,
/// DEL, C1), characters that turn the direction of writing or end a line, and what is not UTF-8. Those in `kept`, such
/// as "\n\t", stay.
std::string printable(std::string_view text, std::string_view kept = {});

/// Bytes of the UTF-8 character at the front of `text`, which is not empty; 0 when there is none.
size_t character_length(std::string_view text);

/// True for one UTF-8 character that a terminal could obey.
bool commands_terminal(std::string_view character);

} // namespace gnomon
