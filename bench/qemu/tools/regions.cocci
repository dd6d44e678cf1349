// What Coccinelle is given for the comparison with `regionlab c`: the simplest shapes of a region embedded in a structure,
// kept in it as a pointer. Structures and their uses have to be in one file; nothing is moved, and no field is dropped.

@region@
identifier S, f;
@@
struct S {
  ...
- MemoryRegion f;
+ MemoryRegion *f;
  ...
};

// Regions without memory of their own: the call is a statement.

@container@
identifier region.f;
expression e;
expression list rest;
@@
- memory_region_init(&e->f, rest);
+ e->f = memory_region_new(rest);

@io@
identifier region.f;
expression e;
expression list rest;
@@
- memory_region_init_io(&e->f, rest);
+ e->f = memory_region_new_io(rest);

@alias@
identifier region.f;
expression e;
expression list rest;
@@
- memory_region_init_alias(&e->f, rest);
+ e->f = memory_region_new_alias(rest);

@device@
identifier region.f;
expression e;
expression list rest;
@@
- memory_region_init_ram_ptr(&e->f, rest);
+ e->f = memory_region_new_ram_ptr(rest);

// Regions with memory of their own: the call says whether there was any, and may be the condition of an if.

@ram@
identifier region.f;
expression e;
expression list rest;
@@
- memory_region_init_ram(&e->f, rest)
+ (e->f = memory_region_new_ram(rest))

@ram_nomigrate@
identifier region.f;
expression e;
expression list rest;
@@
- memory_region_init_ram_nomigrate(&e->f, rest)
+ (e->f = memory_region_new_ram_nomigrate(rest))

@rom@
identifier region.f;
expression e;
expression list rest;
@@
- memory_region_init_rom(&e->f, rest)
+ (e->f = memory_region_new_rom(rest))

@rom_device@
identifier region.f;
expression e;
expression list rest;
@@
- memory_region_init_rom_device(&e->f, rest)
+ (e->f = memory_region_new_rom_device(rest))

// All other uses take the address.

@use@
identifier region.f;
expression e;
@@
- &e->f
+ e->f
