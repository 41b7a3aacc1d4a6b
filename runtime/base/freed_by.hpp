#pragma once

namespace gnomon {

/// The deleter of a `std::unique_ptr` to what a library in C has made: `std::unique_ptr<FILE, freed_by<fclose>>`.
template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

} // namespace gnomon
