#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gnomon {

/// `text` in a form for a terminal or a log. Characters that could control them become \xNN, byte by byte: control
/// characters (C0, DEL, C1), characters that change the direction of writing or end a line, and bytes that are not
/// UTF-8. Characters in `kept`, such as "\n\t", stay.
std::string printable(std::string_view text, std::string_view kept = {});

/// Bytes of the UTF-8 character at the front of `text`, which is not empty; 0 when there is none.
size_t character_length(std::string_view text);

/// True for one UTF-8 character that could control a terminal.
bool commands_terminal(std::string_view character);

} // namespace gnomon
