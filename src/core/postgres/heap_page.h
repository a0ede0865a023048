// Tuples of a heap page, for the few catalogs that are read from a backup.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/bytes.h"

namespace steward {

/// A tuple as it lies in its page, dead or alive (HeapTupleHeaderData of src/include/access/htup_details.h).
struct HeapTuple {
    uint32_t xmin = 0;
    uint32_t xmax = 0;
    uint16_t infomask = 0;
    uint16_t attributes = 0;  ///< that are stored
    ByteView data;            ///< from the first attribute on; borrows the page

    /// The inserting transaction is known to have aborted.
    bool is_never_inserted() const;
    /// The inserting transaction committed so long ago that its number may have come again.
    bool is_frozen() const;
    /// The inserting transaction is known to have committed, not so long ago that its number may have come again.
    bool is_insert_committed() const;
    /// A transaction has deleted or replaced the tuple, and is not known to have aborted. That it was a group (multixact) counts too.
    bool is_delete_possible() const;
    /// `xmax` is one transaction that has deleted or replaced the tuple if it committed.
    bool is_delete_by_xmax() const;
    /// That transaction is known to have committed.
    bool is_delete_committed() const;
};

/// The tuples of a page; none for one that is new, not a page, or whose header makes no sense. What reaches beyond the page or its own
/// end is left out: the page may be torn or damaged.
std::vector<HeapTuple> heap_tuples(ByteView page);

}  // namespace steward
