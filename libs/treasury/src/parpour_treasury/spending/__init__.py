"""The spending authority: who may spend what, decided by rules, approved by people, reserved in the books."""
